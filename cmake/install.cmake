# What `cmake --install` installs: the program, the library with its headers and a CMake package (find_package(finwait), target finwait::finwait),
# the man page, the shell completions, a unit for systemd, a dashboard for Grafana.
include(CMakePackageConfigHelpers)

set(FINWAIT_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/finwait)

install(TARGETS finwait RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS finwait_lib EXPORT finwait ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/finwait DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN "app" EXCLUDE PATTERN "service" EXCLUDE)

install(EXPORT finwait NAMESPACE finwait:: FILE finwaitTargets.cmake DESTINATION ${FINWAIT_PACKAGE_DIR})
configure_package_config_file(cmake/finwaitConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/finwaitConfig.cmake INSTALL_DESTINATION ${FINWAIT_PACKAGE_DIR})
# Before 1.0 a minor version may change the library's interface.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/finwaitConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/finwaitConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/finwaitConfigVersion.cmake DESTINATION ${FINWAIT_PACKAGE_DIR})

install(FILES docs/finwait.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES tools/completions/finwait.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME finwait)
install(FILES tools/completions/_finwait DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
# What goes with a live capture: a unit for systemd, started by interface, and a dashboard for Grafana.
set(FINWAIT_BINDIR ${CMAKE_INSTALL_FULL_BINDIR})
configure_file(share/finwait@.service ${CMAKE_CURRENT_BINARY_DIR}/finwait@.service @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/finwait@.service DESTINATION lib/systemd/system)
install(FILES share/finwait-dashboard.json DESTINATION ${CMAKE_INSTALL_DATADIR}/finwait)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
