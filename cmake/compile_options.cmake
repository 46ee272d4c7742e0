# One place for how everything is compiled: x86-64-v2, many warnings, the sanitizers asked for, and link-time optimisation in release builds.
#
# finwait_compile_options(target)          the library, the program, tools and benchmarks
# finwait_compile_options(target NO_LTO)   tests: they link the library's ordinary code, which saves a whole-program compilation for each of them
include(CheckIPOSupported)
check_ipo_supported(RESULT FINWAIT_IPO_SUPPORTED OUTPUT FINWAIT_IPO_WHY LANGUAGES CXX)

find_program(FINWAIT_CCACHE ccache)
mark_as_advanced(FINWAIT_CCACHE)
if(FINWAIT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${FINWAIT_CCACHE})
endif()

if(FINWAIT_FUZZ AND NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "FINWAIT_FUZZ needs clang: libFuzzer is part of it. Use the preset 'clang', or -DCMAKE_CXX_COMPILER=clang++.")
endif()

set(FINWAIT_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual
  -Wnull-dereference)

function(finwait_compile_options target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NO_LTO" "" "")
  # When it optimises, g++ 12 reports null dereferences and overlapping copies inside the standard library that cannot happen (GCC bug 105651).
  target_compile_options(${target} PRIVATE ${FINWAIT_WARNINGS}
    $<$<CXX_COMPILER_ID:GNU>:-Wno-null-dereference -Wno-restrict>)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    target_compile_options(${target} PRIVATE -march=x86-64-v2)
  endif()
  if(FINWAIT_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(FINWAIT_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  if(FINWAIT_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${FINWAIT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(${target} PRIVATE -fsanitize=${FINWAIT_SANITIZE})
  elseif(CMAKE_BUILD_TYPE STREQUAL "Release" AND FINWAIT_IPO_SUPPORTED)
    finwait_link_time_optimisation(${target} "${arg_NO_LTO}")
  endif()
endfunction()

# g++ can put ordinary code beside the intermediate one: then the installed library serves any compiler, and tests link it as it is.
# clang 14 cannot: there everything is linked the same way.
function(finwait_link_time_optimisation target no_lto)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    if(no_lto)
      target_link_options(${target} PRIVATE -fno-lto)
      return()
    endif()
    target_compile_options(${target} PRIVATE -ffat-lto-objects)
  endif()
  set_property(TARGET ${target} PROPERTY INTERPROCEDURAL_OPTIMIZATION ON)
endfunction()
