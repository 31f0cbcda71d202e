# Language, warnings and sanitizers for everything of ours.

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
  message(FATAL_ERROR
    "GCC ${CMAKE_CXX_COMPILER_VERSION} silently miscompiles ordinary C++20 coroutines (double frees and hangs "
    "for temporaries, captured lambdas and conditions in a statement with co_await). "
    "Use Clang 19 (Debian: clang-19 lld-19; the presets name it) or GCC 14 or later.")
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

option(ENGRAM_WERROR "warnings are errors" OFF)
option(ENGRAM_FAILPOINTS "places where tests kill the daemon (base/failpoint.hpp)" OFF)
set(ENGRAM_SANITIZE "" CACHE STRING "sanitizers, as for -fsanitize= (for example address,undefined)")

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_link_options(-fuse-ld=lld)
endif()

add_library(engram_flags INTERFACE)
target_compile_options(engram_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wextra-semi)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(engram_flags INTERFACE -Wimplicit-fallthrough -Wunused-member-function -Wno-unused-command-line-argument)
endif()
if(ENGRAM_WERROR)
  target_compile_options(engram_flags INTERFACE -Werror)
endif()
if(ENGRAM_SANITIZE)
  add_compile_options(-fsanitize=${ENGRAM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ENGRAM_SANITIZE})
endif()
