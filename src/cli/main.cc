// The program's entry; everything else is in program.cc, where tests reach it.
#include "cli/program.h"

/// How jemalloc is to keep memory; it looks for this name, and without it nothing does. Two arenas
/// are enough for what threads do not cache themselves, and what a burst has freed goes back to the
/// system after a second instead of ten: docs/performance.md. MALLOC_CONF in the environment says
/// otherwise where a machine has many cores.
extern "C" {
// NOLINTBEGIN(readability-identifier-naming): the name is jemalloc's.
extern const char* const malloc_conf;
[[gnu::used]] const char* const malloc_conf = "narenas:2,dirty_decay_ms:1000,muzzy_decay_ms:0";
// NOLINTEND(readability-identifier-naming)
}

int main(int argc, char** argv) {
  return opentrail::cli::run_program(argc, argv, opentrail::cli::system_context());
}
