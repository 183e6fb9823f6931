#include "server/application.h"

#include <atomic>
#include <filesystem>
#include <thread>

#include <boost/asio/thread_pool.hpp>
#include <fmt/format.h>

#include "base/log.h"
#include "base/mutex.h"
#include "crypto/keyring.h"
#include "history/history.h"
#include "iam/iam.h"
#include "io/clock.h"
#include "io/filesystem.h"
#include "io/random.h"
#include "journal/journal.h"
#include "net/server.h"
#include "objects/embedded_store.h"
#include "objects/s3_client.h"
#include "server/credentials_file.h"
#include "server/health.h"
#include "server/pipeline.h"
#include "server/recorder.h"
#include "services/iam/iam_service.h"
#include "services/sts/sts_service.h"
#include "sql/database.h"

namespace opentrail::server {
namespace {

// SQL and object I/O wait for disks, so there are more workers than cores.
constexpr std::size_t kWorkers = 8;
constexpr std::chrono::milliseconds kStopGrace{10000};
constexpr std::chrono::seconds kJournalRetentionInterval{60};

}  // namespace

/// Members in the order of start; stop() and the destructors go the other way.
struct Application::Parts {
  Config config;
  std::string folder;  ///< Absolute data folder.
  std::unique_ptr<io::Filesystem> files = io::make_posix_filesystem();
  io::SystemClock clock;
  io::SystemRandom random;
  std::unique_ptr<io::FileLock> lock;
  std::optional<crypto::Keyring> keyring;
  std::unique_ptr<sql::Database> catalog;
  std::unique_ptr<iam::Iam> iam;
  std::unique_ptr<boost::asio::thread_pool> workers;
  std::unique_ptr<journal::Journal> journal;
  std::unique_ptr<history::History> history;
  std::unique_ptr<objects::EmbeddedStore> embedded;
  std::unique_ptr<objects::ObjectStore> foreign;  ///< When trails deliver to another S3.
  std::unique_ptr<Recorder> recorder;
  std::unique_ptr<Pipeline> pipeline;
  Health health;
  std::unique_ptr<net::Server> http;
  bool stopped = false;

  [[nodiscard]] std::string path(std::string_view name) const { return io::join_path(folder, name); }

  Result<void> open_folder();
  Result<void> open_identity();
  Result<void> listen();
  Result<void> open_log();
  Result<void> open_objects();
  void open_pipeline();
  boost::asio::awaitable<void> answer(net::Exchange& exchange);
};

Result<void> Application::Parts::open_folder() {
  folder = std::filesystem::absolute(config.data_dir).lexically_normal().string();
  OT_TRY_DO(files->create_directories(folder));
  auto held = files->lock(path("lock"));
  if (!held && held.error().code() == ErrorCode::Conflict) {
    return fail(ErrorCode::Conflict,
                fmt::format("another opentrail serve is using {}: stop it, or give this one a "
                            "folder of its own with --data-dir",
                            folder));
  }
  OT_TRY(lock, std::move(held));
  OT_TRY(keyring, crypto::Keyring::open(*files, random, path("master.key")));
  return {};
}

Result<void> Application::Parts::open_identity() {
  OT_TRY(catalog, sql::Database::open_sqlite(path("catalog.db")));
  OT_TRY(iam, iam::Iam::open(*catalog, *keyring, random, clock, {config.account_id}));
  OT_TRY(const auto made, iam->bootstrap());
  if (made) {
    OT_TRY_DO(write_credentials_file(*files, path("credentials"), *made));
    log::info("first start: made account {} with the IAM user admin", iam->account_id());
  } else if (iam->account_id() != config.account_id) {
    log::warn("this data folder belongs to account {}; account_id {} is ignored",
              iam->account_id(), config.account_id);
  }
  return {};
}

Result<void> Application::Parts::listen() {
  net::ServerOptions options;
  options.address = config.listen_address;
  options.port = config.listen_port;
  options.threads = config.threads;
  options.tls_certificate_file = config.tls_certificate_file;
  options.tls_key_file = config.tls_key_file;
  OT_TRY(http, net::Server::listen(std::move(options),
                                   [this](net::Exchange& exchange) { return answer(exchange); }));
  http->start();
  return {};
}

Result<void> Application::Parts::open_log() {
  journal::JournalOptions options;
  options.folder = path("journal");
  OT_TRY(journal, journal::Journal::open(*files, std::move(options)));
  if (const auto& report = journal->recovery(); report.bytes_cut > 0) {
    log::warn("journal: cut {} bytes behind the last whole block of {}: a write that was never "
              "acknowledged",
              report.bytes_cut, report.cut_file);
  }
  OT_TRY(history, history::History::open(*journal, clock, {config.retention}));
  return {};
}

Result<void> Application::Parts::open_objects() {
  OT_TRY(embedded, objects::EmbeddedStore::open(*files, random, clock, *keyring,
                                                {.folder = path("objects")}));
  if (!config.objects_endpoint.empty()) {
    objects::S3ClientOptions options;
    options.endpoint = config.objects_endpoint;
    options.region = config.objects_region;
    OT_TRY(options, objects::load_credentials(std::move(options)));
    OT_TRY(foreign, objects::make_s3_client(std::move(options), clock));
  }
  return {};
}

boost::asio::awaitable<void> Application::Parts::answer(net::Exchange& exchange) {
  if (co_await health.answer(exchange)) {
    co_return;
  }
  if (!health.ready()) {
    net::ResponseHead head;
    head.status = 503;
    head.headers.add("Content-Type", "text/plain; charset=utf-8");
    head.headers.add("Retry-After", "1");
    static_cast<void>(co_await exchange.respond(
        std::move(head), "OpenTrail is starting: the journal is being replayed. Try again.\n"));
    co_return;
  }
  co_await pipeline->answer(exchange);
}

}  // namespace opentrail::server
