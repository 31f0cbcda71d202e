# engram_module(<name> [MAY_INCLUDE <module>...] [SOURCES ...] [LINK ...] [LINK_PUBLIC ...])
#
# One static library a folder. A module sees the headers of the modules named in MAY_INCLUDE and of no
# other: each module's headers are reachable only through a folder of links made for it, so an include
# that crosses a wall of the architecture does not compile.
function(engram_module name)
  cmake_parse_arguments(arg "" "" "MAY_INCLUDE;SOURCES;LINK;LINK_PUBLIC" ${ARGN})
  set(door ${CMAKE_BINARY_DIR}/doors/${name})
  file(MAKE_DIRECTORY ${door})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${door}/${name} SYMBOLIC)
  add_library(engram_${name} STATIC ${arg_SOURCES})
  target_include_directories(engram_${name} PUBLIC ${door})
  target_link_libraries(engram_${name} PRIVATE engram_flags ${arg_LINK} PUBLIC ${arg_LINK_PUBLIC})
  foreach(other IN LISTS arg_MAY_INCLUDE)
    target_link_libraries(engram_${name} PUBLIC engram_${other})
  endforeach()
endfunction()

# engram_test(<name> SOURCES ... [LINK ...] [LABELS unit|integration|chaos|system] [TIMEOUT seconds])
#
# One Boost.Test program; its main is compiled once, in tests/support.
function(engram_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE engram_flags engram_test_main ${arg_LINK})
  add_test(NAME ${name} COMMAND ${name} --log_level=warning --report_level=short --color_output=no)
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
endfunction()
