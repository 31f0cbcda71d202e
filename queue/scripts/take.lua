-- Ingest and claim in one step.
return take_from(3)
