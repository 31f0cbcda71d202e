# engram_config: the configuration and the arguments of engramd, a library of its own so that its tests need
# nothing else of the daemon. From the queue it takes the reader of Redis URLs, from the workers the kinds of
# memories, from the other modules only the options headers, which need no linking.
set(engram_config_door ${CMAKE_BINARY_DIR}/doors/config)
file(MAKE_DIRECTORY ${engram_config_door})
foreach(folder daemon queue store claude embedding workers)
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/../${folder} ${engram_config_door}/${folder} SYMBOLIC)
endforeach()

add_library(engram_config STATIC
  api_key.cpp command_line.cpp config.cpp config_checks.cpp config_file.cpp config_keys.cpp config_table.cpp
  config_table_memory.cpp config_toml.cpp config_value.cpp)
target_include_directories(engram_config PUBLIC ${engram_config_door})
target_compile_definitions(engram_config PRIVATE ENGRAM_VERSION="${PROJECT_VERSION}")
target_link_libraries(engram_config PRIVATE engram_flags engram_queue PUBLIC engram_base engram_categories)
