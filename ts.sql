set search_path=cohort; drop foreign table if exists v;
