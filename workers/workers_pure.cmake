# The part of the module without I/O.
set(workers_pure_sources escape_data.cpp memory_tags.cpp prompt.cpp tag_scan.cpp tag_tidy.cpp)
