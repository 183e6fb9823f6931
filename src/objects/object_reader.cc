#include "objects/object_reader.h"

#include "objects/s3_errors.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace opentrail::objects {
namespace {

class Reader final : public ObjectReader {
 public:
  Reader(std::shared_ptr<StoreParts> parts, std::unique_ptr<BlobFolder::Pin> pin,
         StoredContents contents)
      : parts_(std::move(parts)), pin_(std::move(pin)), contents_(std::move(contents)) {
    std::uint64_t start = 0;
    for (const Blob& blob : contents_.blobs) {
      starts_.push_back(start);
      start += blob.size;
    }
    starts_.push_back(start);
  }

  /// The rows agree with each other.
  [[nodiscard]] Result<void> check() const {
    if (contents_.blobs.empty() || starts_.back() != info().size) {
      return fail(
          ErrorCode::Corruption,
          fmt::format("object {}: {} bytes in {} blobs, {} were written", contents_.object.id,
                      starts_.back(), contents_.blobs.size(), info().size));
    }
    return {};
  }

  [[nodiscard]] const ObjectInfo& info() const override { return contents_.object.info; }

  Result<std::string> read() override {
    if (position_ == info().size) {
      return read_end();
    }
    // The last blob that begins at or before the position; empty ones begin where the next does.
    const auto behind = std::ranges::upper_bound(starts_, position_);
    const auto index = static_cast<std::size_t>(behind - starts_.begin()) - 1;
    OT_TRY_DO(open_blob(index));
    const std::uint64_t inside = position_ - starts_[index];
    OT_TRY(std::string bytes, blob_->chunk(inside / kChunkBytes));
    bytes.erase(0, static_cast<std::size_t>(inside % kChunkBytes));
    position_ += bytes.size();
    return bytes;
  }

  Result<void> seek(std::uint64_t position) override {
    if (position > info().size) {
      return s3_fail("InvalidRange");
    }
    position_ = position;
    return {};
  }

 private:
  /// An empty object has a chunk too, which vouches for there being no bytes.
  Result<std::string> read_end() {
    if (info().size == 0 && blob_ == nullptr) {
      OT_TRY_DO(open_blob(0));
      return blob_->chunk(0);
    }
    return std::string();
  }

  Result<void> open_blob(std::size_t index) {
    if (blob_ != nullptr && open_index_ == index) {
      return {};
    }
    const Blob& blob = contents_.blobs[index];
    auto data_key = parts_->keyring.unseal(kDataKeyLabel, blob.id, blob.sealed_key);
    if (!data_key) {
      return std::unexpected(
          std::move(data_key).error().while_doing(fmt::format("blob {}: data key", blob.id)));
    }
    OT_TRY(blob_, parts_->blobs->open(blob, *std::move(data_key)));
    open_index_ = index;
    return {};
  }

  std::shared_ptr<StoreParts> parts_;
  std::unique_ptr<BlobFolder::Pin> pin_;
  StoredContents contents_;
  std::vector<std::uint64_t> starts_;  ///< Of each blob in the object, then the whole size.
  std::unique_ptr<BlobReader> blob_;
  std::size_t open_index_ = 0;
  std::uint64_t position_ = 0;
};

}  // namespace

Result<std::unique_ptr<ObjectReader>> open_reader(std::shared_ptr<StoreParts> parts,
                                                  const std::string& bucket,
                                                  const std::string& key) {
  StoredContents contents;
  OT_TRY(auto pin, parts->blobs->pin([&]() -> Result<std::string> {
    OT_TRY(contents, parts->index->contents(bucket, key));
    return contents.object.id;
  }));
  auto reader = std::make_unique<Reader>(std::move(parts), std::move(pin), std::move(contents));
  OT_TRY_DO(reader->check());
  return reader;
}

}  // namespace opentrail::objects
