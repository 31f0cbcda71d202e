-- Ingest and claim in one step.
return take(limits_from(3), alive(), check_types())
