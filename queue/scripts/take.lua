-- Ingest and claim in one step.
check_types()
return take(limits_from(3))
