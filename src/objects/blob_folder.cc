#include "objects/blob_folder.h"

#include "base/log.h"
#include "base/text.h"
#include "crypto/keyring.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::objects {
namespace {

constexpr std::string_view kMagic = "OTBLOB1\n";  // 8 bytes; the digit is the format's version
constexpr std::string_view kAadLabel = "opentrail.blob.1";
constexpr std::size_t kIdBytes = 16;
constexpr std::size_t kFolderDigits = 2;
constexpr std::size_t kSealedExtraBytes = crypto::AesGcm::kNonceBytes + crypto::AesGcm::kTagBytes;
constexpr std::size_t kSealedChunkBytes = kChunkBytes + kSealedExtraBytes;
constexpr std::size_t kMissingShownMax = 10;

std::string big_endian(std::uint64_t value, std::size_t bytes) {
  std::string out(bytes, '\0');
  for (std::size_t i = 0; i < std::min<std::size_t>(bytes, 8); ++i) {
    out[bytes - 1 - i] = static_cast<char>((value >> (8 * i)) & 0xFF);
  }
  return out;
}

/// Binds a chunk to its blob, its place and the end: a cut, moved or swapped chunk does not open.
std::string aad_of(std::string_view blob_id, std::uint64_t index, bool last) {
  return fmt::format("{}{}{}{}", kAadLabel, blob_id, big_endian(index, 8), last ? '\1' : '\0');
}

/// Whole chunks, or one empty chunk for an empty blob.
std::uint64_t chunk_count(std::uint64_t size) {
  return size == 0 ? 1 : (size + kChunkBytes - 1) / kChunkBytes;
}

std::uint64_t file_bytes(std::uint64_t size) {
  return kMagic.size() + size + chunk_count(size) * kSealedExtraBytes;
}

}  // namespace

BlobWriter::BlobWriter(io::Filesystem& files, std::string path, std::string id,
                       std::string data_key, std::unique_ptr<io::File> file)
    : files_(files),
      path_(std::move(path)),
      id_(std::move(id)),
      data_key_(std::move(data_key)),
      file_(std::move(file)) {}

BlobWriter::~BlobWriter() {
  if (kept_) {
    return;
  }
  file_.reset();
  if (auto removed = files_.remove(path_); !removed) {
    log::warn("objects: a half-written file stays until the next start: {}",
              removed.error().message());
  }
}

Result<void> BlobWriter::append(std::string_view bytes) {
  while (!bytes.empty()) {
    if (pending_.size() == kChunkBytes) {  // more follows, so this one is not the last
      OT_TRY_DO(seal_chunk(false));
    }
    const std::size_t taken = std::min(kChunkBytes - pending_.size(), bytes.size());
    pending_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    size_ += taken;
  }
  return {};
}

Result<void> BlobWriter::finish() {
  OT_TRY_DO(seal_chunk(true));
  OT_TRY_DO(file_->sync());
  return files_.sync_directory(io::parent_path(path_));
}

Result<void> BlobWriter::seal_chunk(bool last) {
  if (next_chunk_ == 0) {
    OT_TRY_DO(file_->append(as_bytes(kMagic)));
  }
  // The key is this blob's alone, so the chunk's number is a nonce that never repeats.
  const std::string nonce = big_endian(next_chunk_, crypto::AesGcm::kNonceBytes);
  const std::string sealed =
      crypto::AesGcm::seal(data_key_, nonce, aad_of(id_, next_chunk_, last), pending_);
  ++next_chunk_;
  pending_.clear();
  return file_->append(as_bytes(sealed));
}

BlobReader::BlobReader(std::unique_ptr<io::File> file, std::string id, std::string data_key,
                       std::uint64_t size)
    : file_(std::move(file)), id_(std::move(id)), data_key_(std::move(data_key)), size_(size) {}

Result<std::string> BlobReader::chunk(std::uint64_t index) const {
  const std::uint64_t count = chunk_count(size_);
  OT_CHECK(index < count);
  const bool last = index + 1 == count;
  const std::uint64_t plain_bytes = last ? size_ - index * kChunkBytes : kChunkBytes;
  const auto sealed_bytes = static_cast<std::size_t>(plain_bytes) + kSealedExtraBytes;
  OT_TRY(const std::string sealed,
         file_->read_at(kMagic.size() + index * kSealedChunkBytes, sealed_bytes));
  if (sealed.size() != sealed_bytes) {
    return fail(ErrorCode::Corruption, fmt::format("blob {}: chunk {} is cut", id_, index));
  }
  auto plain = crypto::AesGcm::open(data_key_, aad_of(id_, index, last), sealed);
  if (!plain) {
    return std::unexpected(
        std::move(plain).error().while_doing(fmt::format("blob {}: chunk {}", id_, index)));
  }
  return plain;
}

BlobFolder::BlobFolder(io::Filesystem& files, std::string folder)
    : files_(files), folder_(std::move(folder)) {}

Result<std::unique_ptr<BlobWriter>> BlobFolder::create(io::Random& random) {
  const std::string raw_id = io::random_bytes(random, kIdBytes);
  std::string id = to_hex(as_bytes(raw_id));
  std::string data_key = io::random_bytes(random, crypto::AesGcm::kKeyBytes);
  OT_TRY_DO(make_folder(folder_of(id)));
  std::string path = path_of(id);
  OT_TRY(auto file, files_.open(path, io::OpenMode::CreateNew));
  return std::make_unique<BlobWriter>(files_, std::move(path), std::move(id), std::move(data_key),
                                      std::move(file));
}

Result<std::unique_ptr<BlobReader>> BlobFolder::open(const Blob& blob, std::string data_key) const {
  auto file = files_.open(path_of(blob.id), io::OpenMode::Read);
  if (!file) {
    if (file.error().code() == ErrorCode::NotFound) {
      return fail(ErrorCode::Corruption, fmt::format("blob {}: the file is missing", blob.id));
    }
    return std::unexpected(std::move(file).error());
  }
  OT_TRY(const std::string magic, (*file)->read_at(0, kMagic.size()));
  OT_TRY(const std::uint64_t found, (*file)->size());
  if (magic != kMagic || found != file_bytes(blob.size)) {
    return fail(ErrorCode::Corruption,
                fmt::format("blob {}: {} bytes{}, {} were written", blob.id, found,
                            magic == kMagic ? "" : " with another heading", file_bytes(blob.size)));
  }
  return std::make_unique<BlobReader>(*std::move(file), blob.id, std::move(data_key), blob.size);
}

BlobFolder::Pin::Pin(std::shared_ptr<BlobFolder> folder, std::string owner)
    : folder_(std::move(folder)), owner_(std::move(owner)) {}

BlobFolder::Pin::~Pin() { folder_->unpin(owner_); }

Result<std::unique_ptr<BlobFolder::Pin>> BlobFolder::pin(
    const std::function<Result<std::string>()>& look_up) {
  const MutexLock lock(mutex_);
  OT_TRY(std::string owner, look_up());
  ++pinned_[owner].readers;
  return std::make_unique<Pin>(shared_from_this(), std::move(owner));
}

void BlobFolder::unpin(const std::string& owner) {
  std::vector<std::string> retired;
  {
    const MutexLock lock(mutex_);
    const auto found = pinned_.find(owner);
    OT_CHECK(found != pinned_.end());
    if (--found->second.readers > 0) {
      return;
    }
    retired = std::move(found->second.retired);
    pinned_.erase(found);
  }
  remove_files(retired);
}

void BlobFolder::retire(const std::string& owner, const std::vector<std::string>& blob_ids) {
  {
    const MutexLock lock(mutex_);
    if (const auto found = pinned_.find(owner); found != pinned_.end()) {
      auto& retired = found->second.retired;
      retired.insert(retired.end(), blob_ids.begin(), blob_ids.end());
      return;
    }
  }
  remove_files(blob_ids);
}

void BlobFolder::remove_files(const std::vector<std::string>& blob_ids) {
  for (const std::string& id : blob_ids) {
    if (auto removed = files_.remove(path_of(id)); !removed) {
      log::warn("objects: a file that is no longer used stays until the next start: {}",
                removed.error().message());
    }
  }
}

Result<void> BlobFolder::make_folder(const std::string& folder) {
  // Under the lock, so that nobody writes into a folder whose own name is not durable yet. A folder
  // that is there may still be of a start that ended before the sync.
  const MutexLock lock(mutex_);
  if (durable_.contains(folder)) {
    return {};
  }
  OT_TRY_DO(files_.create_directories(folder));
  OT_TRY_DO(files_.sync_directory(folder_));
  durable_.insert(folder);
  return {};
}

std::string BlobFolder::folder_of(std::string_view blob_id) const {
  return io::join_path(folder_, blob_id.substr(0, kFolderDigits));
}

std::string BlobFolder::path_of(std::string_view blob_id) const {
  return io::join_path(folder_of(blob_id), blob_id);
}

Result<BlobFolder::SweepReport> BlobFolder::sweep(
    const std::function<Result<std::vector<std::string>>(const std::string& from,
                                                         const std::string& to)>& known) {
  SweepReport report;
  constexpr int kFolders = 256;
  for (int i = 0; i < kFolders; ++i) {
    const std::string name = fmt::format("{:02x}", i);
    const std::string end = i + 1 < kFolders ? fmt::format("{:02x}", i + 1) : "g";
    OT_TRY(const std::vector<std::string> rows, known(name, end));
    const std::string folder = io::join_path(folder_, name);
    std::vector<std::string> names;
    if (files_.exists(folder)) {
      OT_TRY(names, files_.list(folder));
    }
    std::vector<std::string> orphans;
    std::ranges::set_difference(names, rows, std::back_inserter(orphans));
    for (const std::string& orphan : orphans) {
      OT_TRY_DO(files_.remove(io::join_path(folder, orphan)));
      ++report.removed;
    }
    std::vector<std::string> missing;
    std::ranges::set_difference(rows, names, std::back_inserter(missing));
    report.missing_count += missing.size();
    for (std::string& id : missing) {
      if (report.missing.size() < kMissingShownMax) {
        report.missing.push_back(std::move(id));
      }
    }
  }
  return report;
}

}  // namespace opentrail::objects
