#pragma once
#include "objects/embedded_store.h"

#include <string>
#include <vector>

/// What a client may name and say of an object. Pure. Internal to objects.
namespace opentrail::objects {

inline constexpr std::size_t kKeyBytesMax = 1024;                ///< S3's own bound, UTF-8 bytes.
inline constexpr std::size_t kMetadataBytesMax = 2 << 10;        ///< S3: names and values.
inline constexpr std::size_t kPropertyBytesMax = 8 << 10;        ///< S3: all headers of a PUT.
inline constexpr std::size_t kConfigurationBytesMax = 20 << 10;  ///< Of a bucket, as a policy.

/// InvalidArgument (an empty key, bytes that are not UTF-8, control characters in properties),
/// KeyTooLongError, MetadataTooLarge.
[[nodiscard]] Result<void> check_new_object(const NewObject& object);
/// InvalidRequest when one is not a known checksum.
[[nodiscard]] Result<void> check_algorithms(const std::vector<std::string>& algorithms);
/// InvalidRequest when a bucket's configuration is too long to be one.
[[nodiscard]] Result<void> check_configuration(const std::string& json);

}  // namespace opentrail::objects
