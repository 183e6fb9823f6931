# opentrail_module(delivery DEPS base io record EXTERNAL fmt::fmt)
#
# Makes, from the folder it is called in:
#   opentrail_delivery   the library: every *.cc of the folder and its subfolders
#   delivery_test        every *_test.cc, one ctest entry, with TEST_DEPS beside DEPS
#   delivery_bench       every *_bench.cc
# A dependency must have been declared before, so the order in src/CMakeLists.txt is the order of
# the layers. opentrail_check_includes() refuses an #include that DEPS does not name.
set_property(GLOBAL PROPERTY OPENTRAIL_MODULES "")

function(opentrail_module name)
  cmake_parse_arguments(ARG "" "" "DEPS;EXTERNAL;TEST_DEPS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cc)
  set(tests ${sources})
  set(benches ${sources})
  list(FILTER tests INCLUDE REGEX "(_test|_test_main)\\.cc$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  list(FILTER sources EXCLUDE REGEX "((_test|_test_main|_bench)|/main)\\.cc$")

  foreach(dep ${ARG_DEPS} ${ARG_TEST_DEPS})
    if(NOT TARGET opentrail_${dep})
      message(FATAL_ERROR "module ${name} depends on ${dep}, which is not a layer above it")
    endif()
  endforeach()
  list(TRANSFORM ARG_DEPS PREPEND opentrail_ OUTPUT_VARIABLE dep_targets)
  list(TRANSFORM ARG_TEST_DEPS PREPEND opentrail_ OUTPUT_VARIABLE test_dep_targets)

  if(sources)
    add_library(opentrail_${name} STATIC ${sources})
    target_include_directories(opentrail_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(opentrail_${name} PUBLIC ${dep_targets} ${ARG_EXTERNAL}
                                            PRIVATE opentrail_flags)
    target_compile_definitions(opentrail_${name} PUBLIC _GLIBCXX_ASSERTIONS)
  else()
    add_library(opentrail_${name} INTERFACE)
    target_include_directories(opentrail_${name} INTERFACE ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(opentrail_${name} INTERFACE ${dep_targets} ${ARG_EXTERNAL})
  endif()

  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE opentrail_${name} ${test_dep_targets}
                                               GTest::gtest_main GTest::gmock opentrail_flags)
    add_test(NAME ${name}_test COMMAND ${name}_test
             WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${name}_test PROPERTIES TIMEOUT 300 LABELS unit)
  endif()
  if(benches AND CMAKE_BUILD_TYPE STREQUAL "Release")
    add_executable(${name}_bench ${benches})
    target_link_libraries(${name}_bench PRIVATE opentrail_${name} ${test_dep_targets}
                                                benchmark::benchmark_main opentrail_flags)
  endif()

  set_property(GLOBAL APPEND PROPERTY OPENTRAIL_MODULES ${name})
  set_property(GLOBAL PROPERTY OPENTRAIL_DEPS_${name} ${ARG_DEPS})
  set_property(GLOBAL PROPERTY OPENTRAIL_TEST_DEPS_${name} ${ARG_TEST_DEPS})
endfunction()

# opentrail_fuzz(sigv4 MODULE crypto): fuzz/sigv4_fuzz.cc with the corpus fuzz/corpus/sigv4/.
# Without libFuzzer it links a main() that replays the corpus, so every ctest run does.
function(opentrail_fuzz name)
  cmake_parse_arguments(ARG "" "MODULE" "" ${ARGN})
  add_executable(${name}_fuzz ${name}_fuzz.cc)
  target_link_libraries(${name}_fuzz PRIVATE opentrail_${ARG_MODULE} opentrail_flags)
  if(OPENTRAIL_FUZZ)
    target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
    add_test(NAME ${name}_fuzz COMMAND ${name}_fuzz -runs=0
             ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name})
  else()
    target_sources(${name}_fuzz PRIVATE replay_main.cc)
    add_test(NAME ${name}_fuzz COMMAND ${name}_fuzz ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name})
  endif()
  set_tests_properties(${name}_fuzz PROPERTIES LABELS fuzz)
endfunction()

# Writes the declared dependencies to a file and checks every include against it, at each build.
function(opentrail_check_includes)
  get_property(modules GLOBAL PROPERTY OPENTRAIL_MODULES)
  set(lines "")
  foreach(module ${modules})
    get_property(deps GLOBAL PROPERTY OPENTRAIL_DEPS_${module})
    get_property(test_deps GLOBAL PROPERTY OPENTRAIL_TEST_DEPS_${module})
    list(JOIN deps " " deps)
    list(JOIN test_deps " " test_deps)
    string(APPEND lines "${module}: ${deps} | ${test_deps}\n")
  endforeach()
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/modules.txt CONTENT "${lines}")
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  add_custom_target(include_order ALL
    COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/cmake/check_includes.py
            ${CMAKE_BINARY_DIR}/modules.txt ${PROJECT_SOURCE_DIR}/src
    COMMENT "Checking the include order of the layers" VERBATIM)
endfunction()
