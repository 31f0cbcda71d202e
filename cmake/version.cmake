# The commit that is built, for those who link engram_version and include "engram_version.hpp": engram::commit.
#
# Asked of git at each build, since a commit needs no new run of CMake; this file then runs as a script. Only what holds the
# commit is compiled again, and only if it has changed. "unknown" where the sources are no checkout.

if(CMAKE_SCRIPT_MODE_FILE)
  cmake_policy(VERSION 3.25)
  set(commit unknown)
  # Not that of a checkout which these sources lie in.
  if(EXISTS ${SOURCES}/.git)
    execute_process(COMMAND git -c safe.directory=* -C ${SOURCES} rev-parse --short HEAD
      OUTPUT_VARIABLE said RESULT_VARIABLE status ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(status STREQUAL "0")
      set(commit ${said})
    endif()
  endif()
  file(CONFIGURE OUTPUT ${FILE} CONTENT
    "#include \"engram_version.hpp\"\n\nchar const* const engram::commit = \"${commit}\";\n")
  return()
endif()

set(engram_version_folder ${CMAKE_BINARY_DIR}/version)
file(CONFIGURE OUTPUT ${engram_version_folder}/engram_version.hpp CONTENT
  "#pragma once\n\nnamespace engram {\n\n/// As git shortens it; \"unknown\" if what was built was no checkout.\nextern char const* const commit;\n\n}  // namespace engram\n")
add_custom_target(engram_ask_commit
  COMMAND ${CMAKE_COMMAND} -D SOURCES=${PROJECT_SOURCE_DIR} -D FILE=${engram_version_folder}/engram_version.cpp
    -P ${CMAKE_CURRENT_LIST_FILE}
  BYPRODUCTS ${engram_version_folder}/engram_version.cpp
  COMMENT "" VERBATIM)
add_library(engram_version STATIC ${engram_version_folder}/engram_version.cpp)
add_dependencies(engram_version engram_ask_commit)
target_include_directories(engram_version PUBLIC ${engram_version_folder})
target_link_libraries(engram_version PRIVATE engram_flags)
