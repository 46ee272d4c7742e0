# systemd has nothing to say against the unit, and finds it little exposed: an instance of it, with the program just built.
cmake_path(GET PROGRAM PARENT_PATH FINWAIT_BINDIR)
configure_file(${UNIT} ${WORK}/finwait@eth0.service @ONLY)

execute_process(COMMAND ${ANALYZE} verify --man=no ${WORK}/finwait@eth0.service RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(NOT status EQUAL 0 OR said MATCHES "finwait")
  message(FATAL_ERROR "systemd-analyze verify (${status}): ${said}")
endif()

# 0 is not exposed at all, 100 is without any protection; an ordinary service has 96.
execute_process(COMMAND ${ANALYZE} security --offline=true --threshold=25 --no-pager ${WORK}/finwait@eth0.service
  RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "systemd-analyze security (${status}): ${said}")
endif()
