#pragma once
#include "crypto/keyring.h"
#include "io/clock.h"
#include "io/filesystem.h"
#include "io/random.h"
#include "objects/blob_folder.h"
#include "objects/object_index.h"

#include <memory>
#include <string>
#include <string_view>

/// What the parts of the embedded store share. Internal to objects.
namespace opentrail::objects {

/// Writers and readers keep it alive. Any thread.
struct StoreParts {
  io::Random& random;
  const io::Clock& clock;
  const crypto::Keyring& keyring;
  std::unique_ptr<io::FileLock> lock;  ///< One process; the sweep at open relies on it.
  std::shared_ptr<BlobFolder> blobs;
  std::unique_ptr<ObjectIndex> index;

  void retire(const std::vector<Retired>& all) const {
    for (const Retired& retired : all) {
      blobs->retire(retired.owner, retired.blob_ids);
    }
  }
};

inline constexpr std::string_view kDataKeyLabel = "objects.data-keys";  ///< Of Keyring::seal.
inline constexpr std::size_t kOwnerIdBytes = 16;

/// Of an object, part or upload: 32 random hex digits.
[[nodiscard]] inline std::string make_owner_id(io::Random& random) {
  return to_hex(as_bytes(io::random_bytes(random, kOwnerIdBytes)));
}

}  // namespace opentrail::objects
