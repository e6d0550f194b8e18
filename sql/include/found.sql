-- The people of contracts.sql, as this node's founders.
SELECT count(secmed.admit_founders(identity)) AS founders
  FROM (VALUES (:'ada'), (:'vera'), (:'carl'), (:'olaf'), (:'lena'), (:'gina'), (:'boss')) v(identity);
