// The program's entry; everything else is in program.cc, where tests reach it.
#include "cli/program.h"

int main(int argc, char** argv) {
  return opentrail::cli::run_program(argc, argv, opentrail::cli::system_context());
}
