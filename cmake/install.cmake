# cmake --install: what a distribution would ship, where it would put it.
#
# The units, the configuration and what belongs to them are placed by install_system.cmake, which runs at
# install time: only then is the prefix known (cmake --install --prefix).

# `./dev build` builds these: what is installed, and recall-eval, which docs/benchmarks.md measures with.
add_custom_target(programs)
foreach(program engramd engramctl claude-simulator recall-eval)
  if(TARGET ${program})
    add_dependencies(programs ${program})
  endif()
endforeach()

if(TARGET engramd)
  install(TARGETS engramd RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
endif()
if(TARGET engramctl)
  install(TARGETS engramctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
# For trying engram, or an application on top of it, without a key and without the network.
if(TARGET claude-simulator)
  install(TARGETS claude-simulator RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES ${PROJECT_SOURCE_DIR}/tests/simulator/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR}
    RENAME claude-simulator.md)
endif()

install(FILES ${PROJECT_SOURCE_DIR}/recall/word-neighbours DESTINATION ${CMAKE_INSTALL_DATADIR}/engram)
install(FILES ${PROJECT_SOURCE_DIR}/recall/word-neighbours.LICENSE ${PROJECT_SOURCE_DIR}/recall/everyday-words.LICENSE
  DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${PROJECT_SOURCE_DIR}/docs/man/engramd.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES ${PROJECT_SOURCE_DIR}/docs/man/engramctl.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}
  PATTERN man EXCLUDE PATTERN node_modules EXCLUDE PATTERN CMakeLists.txt EXCLUDE PATTERN test_examples.py EXCLUDE)
install(FILES ${PROJECT_SOURCE_DIR}/etc/engramd.toml ${PROJECT_SOURCE_DIR}/etc/engram.acl
  DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${PROJECT_SOURCE_DIR}/etc/engramctl.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME engramctl)
foreach(file README.md CHANGELOG.md LICENSE)
  if(EXISTS ${PROJECT_SOURCE_DIR}/${file})
    install(FILES ${PROJECT_SOURCE_DIR}/${file} DESTINATION ${CMAKE_INSTALL_DOCDIR})
  endif()
endforeach()

install(CODE "
  set(engram_source \"${PROJECT_SOURCE_DIR}\")
  set(engram_build \"${PROJECT_BINARY_DIR}\")
  set(engram_sbindir \"${CMAKE_INSTALL_SBINDIR}\")")
install(SCRIPT ${CMAKE_CURRENT_LIST_DIR}/install_system.cmake)
