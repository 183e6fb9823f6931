#pragma once
#include "io/filesystem.h"

/// What the posix files are made of; others use File::map().
namespace opentrail::io {

/// Maps the first `bytes` bytes of the open file `fd`, which may be closed afterwards.
/// Errors: as those of File::map(), naming `path`.
[[nodiscard]] Result<std::unique_ptr<Mapping>> map_file(int fd, std::uint64_t bytes,
                                                        std::string_view path);

/// The error of a failed call to the kernel: "open a/b: No such file or directory".
[[nodiscard]] Error error_of(int error_number, std::string_view what, std::string_view path);

}  // namespace opentrail::io
