-- What the sites and its author have yet to do with contract :name, done; at the desk.
SELECT secmed.draft_contract_act('propose', :'name') AS draft \gset
\set signer ada
\i :sign
SELECT secmed.submit_document(:'signed') AS done \gset
SELECT secmed.draft_contract_act('accept', :'name') AS draft \gset
\i :sign
SELECT secmed.submit_document(:'signed') AS done \gset
SELECT secmed.draft_contract_act('sign', :'name', node => 'north') AS draft \gset
\set signer olaf
\i :sign
SELECT secmed.submit_document(:'signed') AS done \gset
SELECT secmed.draft_contract_act('sign', :'name', node => 'south') AS draft \gset
\set signer lena
\i :sign
SELECT secmed.submit_document(:'signed') AS done \gset
SELECT secmed.draft_contract_act('sign', :'name', node => 'east') AS draft \gset
\set signer gina
\i :sign
SELECT secmed.submit_document(:'signed') AS done \gset
SELECT secmed.draft_contract_act('vet', :'name', meaning => 'approval') AS draft \gset
\set signer vera
\i :sign
SELECT secmed.submit_document(:'signed') AS done \gset
\set ECHO none
