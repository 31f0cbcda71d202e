# engram_module(<folder> [MAY_INCLUDE <folder>...] [SOURCES ...] [LINK ...] [LINK_PUBLIC ...])
#
# One static library a folder: workers/chat becomes engram_workers_chat. A module sees the headers of the modules
# named in MAY_INCLUDE, and of those that these see, and of no other: each module's headers are reachable only
# through a door, a folder of links to exactly the headers in its own folder. So an include that crosses a wall of
# the architecture does not compile, and a folder inside of a module's folder is another module.
function(engram_module folder)
  cmake_parse_arguments(arg "" "" "MAY_INCLUDE;SOURCES;LINK;LINK_PUBLIC" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  engram_door(${folder})
  if(arg_SOURCES)
    add_library(engram_${name} STATIC ${arg_SOURCES})
    set(scope PUBLIC)
    target_link_libraries(engram_${name} PRIVATE engram_flags ${arg_LINK} PUBLIC ${arg_LINK_PUBLIC})
  else()
    add_library(engram_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(engram_${name} ${scope} ${CMAKE_BINARY_DIR}/doors/${name})
  foreach(other IN LISTS arg_MAY_INCLUDE)
    string(REPLACE "/" "_" other ${other})
    target_link_libraries(engram_${name} ${scope} engram_${other})
  endforeach()
endfunction()

# engram_door(<folder>): makes doors/<name>, from which "folder/header.hpp" can be included.
function(engram_door folder)
  string(REPLACE "/" "_" name ${folder})
  set(door ${CMAKE_BINARY_DIR}/doors/${name})
  # Older versions made one link to the whole folder: writing through it would replace the sources.
  if(IS_SYMLINK ${door}/${folder})
    file(REMOVE ${door}/${folder})
  endif()
  file(GLOB headers RELATIVE ${PROJECT_SOURCE_DIR}/${folder} CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.hpp)
  file(GLOB links RELATIVE ${door}/${folder} ${door}/${folder}/*.hpp)
  file(MAKE_DIRECTORY ${door}/${folder})
  list(REMOVE_ITEM links ${headers})
  foreach(header IN LISTS links)
    file(REMOVE ${door}/${folder}/${header})
  endforeach()
  foreach(header IN LISTS headers)
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder}/${header} ${door}/${folder}/${header} SYMBOLIC)
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
    set(arg_TIMEOUT 300)  # for one that hangs; a machine with much else to do is slow, too
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
endfunction()
