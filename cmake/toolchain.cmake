# One compiler, one standard, one set of warnings for our own targets.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR "OpenTrail is built with Clang 19 or later (found ${CMAKE_CXX_COMPILER_ID} "
                      "${CMAKE_CXX_COMPILER_VERSION}). Run ./dev setup, then ./dev build. "
                      "See docs/decisions/001-toolchain.md.")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(OPENTRAIL_SANITIZE "" CACHE STRING "Sanitizers for every target, for example address,undefined")
option(OPENTRAIL_FUZZ "Link the fuzz targets with libFuzzer instead of a corpus replay" OFF)

add_library(opentrail_flags INTERFACE)
target_compile_options(opentrail_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -Wthread-safety -fno-omit-frame-pointer
  -march=x86-64-v2)
target_compile_definitions(opentrail_flags INTERFACE
  _GLIBCXX_ASSERTIONS BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE
  OPENTRAIL_VERSION="${PROJECT_VERSION}")

set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g -flto=thin -D_FORTIFY_SOURCE=3 -fstack-protector-strong")
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_link_options(-fuse-ld=lld-19 -flto=thin -Wl,-z,relro,-z,now)
else()
  add_link_options(-fuse-ld=mold)
endif()
if(OPENTRAIL_SANITIZE)
  add_compile_options(-fsanitize=${OPENTRAIL_SANITIZE} -fno-sanitize-recover=all -O1)
  add_link_options(-fsanitize=${OPENTRAIL_SANITIZE})
endif()
if(OPENTRAIL_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
