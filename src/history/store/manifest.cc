#include "history/store/manifest.h"

#include "base/checksum.h"
#include "history/index/coding.h"

#include <fmt/format.h>

namespace opentrail::history {
namespace {

constexpr std::string_view kMagic = "OTHM";
constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kName = "manifest";
constexpr std::size_t kSegmentBytes = 28;
constexpr std::size_t kManifestBytesMax = 64 << 20;

}  // namespace

std::string Manifest::encode() const {
  std::string out(kMagic);
  put(out, kVersion);
  out.append(3, '\0');
  put(out, id_key.k0);
  put(out, id_key.k1);
  put(out, value(sealed_end));
  put(out, static_cast<std::uint32_t>(segments.size()));
  for (const Segment& segment : segments) {
    put(out, value(segment.first));
    put(out, value(segment.end));
    put(out, segment.bytes);
    put(out, segment.meta_crc);
  }
  put(out, crc32c(as_bytes(out)));
  return out;
}

Result<Manifest> Manifest::decode(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.text(kMagic.size()) != kMagic) {
    return fail(ErrorCode::Corruption, "this is no manifest of a history");
  }
  if (const auto version = in.number<std::uint8_t>(); version != kVersion) {
    return fail(ErrorCode::Unsupported,
                fmt::format("manifest version {} is not known to this program", version));
  }
  in.text(3);
  Manifest manifest;
  manifest.id_key.k0 = in.number<std::uint64_t>();
  manifest.id_key.k1 = in.number<std::uint64_t>();
  manifest.sealed_end = journal::Offset{in.number<std::uint64_t>()};
  const auto count = in.number<std::uint32_t>();
  const bool fits = !in.failed() && in.rest().size() == std::uint64_t{count} * kSegmentBytes +
                                                            sizeof(std::uint32_t);
  if (!fits ||
      crc32c(as_bytes(bytes.substr(0, bytes.size() - sizeof(std::uint32_t)))) !=
          ByteReader(bytes.substr(bytes.size() - sizeof(std::uint32_t))).number<std::uint32_t>()) {
    return fail(ErrorCode::Corruption, "the checksum of the manifest differs");
  }
  journal::Offset end{0};
  for (std::uint32_t i = 0; i < count; ++i) {
    Segment segment;
    segment.first = journal::Offset{in.number<std::uint64_t>()};
    segment.end = journal::Offset{in.number<std::uint64_t>()};
    segment.bytes = in.number<std::uint64_t>();
    segment.meta_crc = in.number<std::uint32_t>();
    if (segment.first < end || segment.end <= segment.first || segment.end > manifest.sealed_end) {
      return fail(ErrorCode::Corruption, "the segments of the manifest do not follow each other");
    }
    end = segment.end;
    manifest.segments.push_back(segment);
  }
  return manifest;
}

Result<std::optional<Manifest>> Manifest::load(io::Filesystem& files, const std::string& folder) {
  const std::string path = io::join_path(folder, kName);
  if (!files.exists(path)) {
    return std::nullopt;
  }
  OT_TRY(const std::string bytes, io::read_file(files, path, kManifestBytesMax));
  auto manifest = decode(bytes);
  if (!manifest) {
    return std::unexpected(std::move(manifest).error().while_doing(path));
  }
  return *std::move(manifest);
}

Result<void> Manifest::save(io::Filesystem& files, const std::string& folder) const {
  return io::write_file_atomically(files, io::join_path(folder, kName), encode());
}

}  // namespace opentrail::history
