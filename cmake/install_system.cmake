# Runs at install time: units, sysusers, tmpfiles and the configuration file.
# Knows engram_source, engram_build and engram_sbindir from install.cmake.

# As the GNU conventions have it, /usr and /usr/local are configured in /etc; any other prefix stays in itself.
if(CMAKE_INSTALL_PREFIX MATCHES "^/usr(/local)?/?$")
  set(etc /etc)
else()
  set(etc ${CMAKE_INSTALL_PREFIX}/etc)
endif()
set(program ${CMAKE_INSTALL_PREFIX}/${engram_sbindir}/engramd)
set(options "Environment=ENGRAM_OPTIONS=")
if(NOT etc STREQUAL "/etc")
  set(options "Environment=\"ENGRAM_OPTIONS=--config ${etc}/engramd/engramd.toml\"")
endif()

function(place file folder name)
  file(READ ${engram_source}/systemd/${file} text)
  string(REPLACE "/etc/engramd" "${etc}/engramd" text "${text}")
  string(REPLACE "/usr/sbin/engramd" "${program}" text "${text}")
  string(REPLACE "\nEnvironment=ENGRAM_OPTIONS=\n" "\n${options}\n" text "${text}")
  file(WRITE ${engram_build}/install/${folder}/${name} "${text}")
  file(INSTALL ${engram_build}/install/${folder}/${name} DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/${folder})
endfunction()

place(engramd.service systemd/system engramd.service)
place(engramd@.service systemd/system engramd@.service)
place(engramd.sysusers sysusers.d engramd.conf)
place(engramd.tmpfiles tmpfiles.d engramd.conf)

# What an operator wrote stays.
if(EXISTS "$ENV{DESTDIR}${etc}/engramd/engramd.toml")
  message(STATUS "Kept: $ENV{DESTDIR}${etc}/engramd/engramd.toml")
else()
  file(INSTALL ${engram_source}/etc/engramd.toml DESTINATION ${etc}/engramd)
endif()
