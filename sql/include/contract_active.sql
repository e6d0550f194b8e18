-- The contract :named, drafted as :draft by ada: signed, proposed, vetted, signed by the sites, its terms accepted.
\set ECHO none
\set signer ada
\i :sign
SELECT secmed.submit_document(:'signed') AS done \gset
SELECT secmed.draft_contract_act('propose', :'named') AS draft \gset
\i :sign
SELECT secmed.submit_document(:'signed') AS done \gset
SELECT secmed.draft_contract_act('accept', :'named') AS draft \gset
\i :sign
SELECT secmed.submit_document(:'signed') AS done \gset
\set signer vera
SELECT secmed.draft_contract_act('vet', :'named', meaning => 'approval') AS draft \gset
\i :sign
SELECT secmed.submit_document(:'signed') AS done \gset
\set signer olaf
SELECT secmed.draft_contract_act('sign', :'named', node => 'north') AS draft \gset
\i :sign
SELECT secmed.submit_document(:'signed') AS done \gset
\set signer lena
SELECT secmed.draft_contract_act('sign', :'named', node => 'south') AS draft \gset
\i :sign
SELECT secmed.submit_document(:'signed') AS done \gset
\set signer gina
SELECT secmed.draft_contract_act('sign', :'named', node => 'east') AS draft \gset
\i :sign
SELECT secmed.submit_document(:'signed') AS done \gset
\set ECHO all
SELECT state FROM secmed.contract WHERE name = :'named';
