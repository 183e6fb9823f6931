#pragma once
#include "crypto/keyring.h"
#include "io/clock.h"
#include "io/faulty_filesystem.h"
#include "io/temp_folder.h"
#include "objects/embedded_store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace opentrail::objects {

/// An embedded store in a folder of its own: the index on the real disk, the data files on one in
/// memory that can be broken. For tests.
class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    EXPECT_TRUE(files_.create_directories(folder_.path()));
    for (std::string path = folder_.path(); path.size() > 1;) {
      path = io::parent_path(path);
      EXPECT_TRUE(files_.sync_directory(path)) << path;
    }
    keyring_ = crypto::Keyring::open(files_, random_, folder_.path() + "/master.key").value();
    reopen();
  }

  void reopen() {
    store_.reset();
    auto opened = EmbeddedStore::open(files_, random_, clock_, *keyring_, {folder_.path()});
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    store_ = *std::move(opened);
  }

  static NewObject object(std::string key, std::string bucket = "logs") {
    NewObject object;
    object.bucket = std::move(bucket);
    object.key = std::move(key);
    return object;
  }

  Result<ObjectInfo> put(const NewObject& object, std::string_view bytes,
                         const ExpectedBytes& expected = {},
                         const std::vector<std::string>& algorithms = {}) {
    OT_TRY(const auto writer, store_->begin_put(object, algorithms));
    OT_TRY_DO(writer->write(bytes));
    return writer->commit(expected);
  }
  Result<ObjectInfo> put(std::string key, std::string_view bytes) {
    return put(object(std::move(key)), bytes);
  }

  static Result<std::string> read_all(ObjectReader& reader) {
    std::string all;
    for (;;) {
      OT_TRY(const std::string bytes, reader.read());
      if (bytes.empty()) {
        return all;
      }
      all += bytes;
    }
  }
  Result<std::string> read(const std::string& key) {
    OT_TRY(const auto reader, store_->open_object("logs", key));
    return read_all(*reader);
  }

  /// Paths of all data files.
  std::vector<std::string> data_files() {
    std::vector<std::string> paths;
    const std::string data = folder_.path() + "/data";
    for (const std::string& name : files_.list(data).value()) {
      const std::string inner = io::join_path(data, name);
      for (const std::string& file : files_.list(inner).value()) {
        paths.push_back(io::join_path(inner, file));
      }
    }
    return paths;
  }

  template <typename Value>
  static std::string reason_of(const Result<Value>& result) {
    return result ? "" : result.error().reason();
  }

  io::TempFolder folder_;
  io::FaultyFilesystem files_{11};
  io::SeededRandom random_{11};
  io::FakeClock clock_{parse_iso("2026-11-24T08:46:13Z").value()};
  std::optional<crypto::Keyring> keyring_;
  std::unique_ptr<EmbeddedStore> store_;
};

}  // namespace opentrail::objects
