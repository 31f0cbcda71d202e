# engram_config: the configuration and the arguments of engramd, a library of its own so that its tests need
# nothing else of the daemon. From Redis it takes the reader of URLs, from the workers the kinds of memories,
# from the other modules only the options headers, which need no linking.
engram_door(daemon)
set(engram_config_doors "")
foreach(folder daemon queue redis store http_client claude embedding workers workers_background
    workers_chat)
  list(APPEND engram_config_doors ${CMAKE_BINARY_DIR}/doors/${folder})
endforeach()

add_library(engram_config STATIC
  api_key.cpp command_line.cpp config.cpp config_checks.cpp config_file.cpp config_keys.cpp config_table.cpp
  config_table_memory.cpp config_toml.cpp config_value.cpp)
target_include_directories(engram_config PUBLIC ${engram_config_doors})
target_compile_definitions(engram_config PRIVATE ENGRAM_VERSION="${PROJECT_VERSION}")
target_link_libraries(engram_config PRIVATE engram_flags engram_redis PUBLIC engram_base engram_workers)
