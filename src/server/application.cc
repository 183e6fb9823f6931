#include "server/application.h"

#include "base/log.h"
#include "base/mutex.h"
#include "catalog/trail_store.h"
#include "crypto/keyring.h"
#include "delivery/delivery.h"
#include "gateway/gateway.h"
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
#include "server/journal_retention.h"
#include "server/pipeline.h"
#include "server/recorder.h"
#include "server/refused_requests.h"
#include "services/cloudtrail/cloudtrail_service.h"
#include "services/event_search/search_service.h"
#include "services/iam/iam_service.h"
#include "services/ingest/ingest_service.h"
#include "services/own_api.h"
#include "services/s3/s3_service.h"
#include "services/sts/sts_service.h"
#include "sql/database.h"

#include <filesystem>

#include <boost/asio/thread_pool.hpp>
#include <fmt/format.h>

namespace opentrail::server {
namespace {

// SQL and object I/O wait for disks, so there are more workers than cores.
constexpr std::size_t kWorkers = 8;
constexpr std::chrono::milliseconds kStopGrace{10000};

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
  std::unique_ptr<catalog::TrailStore> trails;
  std::unique_ptr<boost::asio::thread_pool> workers;
  std::unique_ptr<journal::Journal> journal;
  std::unique_ptr<history::History> history;
  std::unique_ptr<objects::EmbeddedStore> embedded;
  std::unique_ptr<objects::ObjectStore> foreign;  ///< When trails deliver to another S3.
  std::unique_ptr<delivery::Delivery> delivery;
  std::unique_ptr<JournalRetention> retention;
  std::unique_ptr<Recorder> recorder;
  std::unique_ptr<services::ingest::IngestService> ingest;
  std::unique_ptr<services::event_search::SearchService> search;
  std::unique_ptr<Pipeline> pipeline;
  std::unique_ptr<gateway::Intents> intents;  ///< With strict recording.
  std::unique_ptr<gateway::Gateway> gateway;  ///< When there are upstreams.
  Health health;
  std::unique_ptr<net::Server> http;
  bool stopped = false;

  [[nodiscard]] std::string path(std::string_view name) const {
    return io::join_path(folder, name);
  }

  Result<void> open_folder();
  Result<void> open_identity();
  Result<void> listen();
  Result<void> open_log();
  Result<void> open_objects();
  Result<void> open_delivery();
  void open_pipeline();
  Result<void> settle_intents();
  Result<void> open_gateway();
  Result<void> open_all();
  void stop();
  boost::asio::awaitable<void> answer(net::Exchange& exchange);
  boost::asio::awaitable<Result<void>> record_forwarded(const record::CallFacts& facts,
                                                        gateway::Wait wait);
  boost::asio::awaitable<void> record_refused(const net::RefusedRequest& refused);
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
  const auto keep = [this](const iam::Bootstrap& keys) {
    return write_credentials_file(*files, path("credentials"), keys);
  };
  OT_TRY(const auto made, iam->bootstrap(keep));
  if (made) {
    log::info("first start: made account {} with the IAM user admin", iam->account_id());
  } else if (iam->account_id() != config.account_id) {
    log::warn("this data folder belongs to account {}; account_id {} is ignored", iam->account_id(),
              config.account_id);
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
  options.on_refused = [this](const net::RefusedRequest& refused) {
    return record_refused(refused);
  };
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
    log::warn(
        "journal: cut {} bytes behind the last whole block of {}: a write that was never "
        "acknowledged",
        report.bytes_cut, report.cut_file);
  }
  history::HistoryOptions history_options;
  history_options.retention = config.retention;
  history_options.folder = path("history");
  OT_TRY(history,
         history::History::open(*files, *journal, clock, random, std::move(history_options)));
  journal->on_commit([this](journal::Offset) { history->wake(); });
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

Result<void> Application::Parts::open_delivery() {
  OT_TRY(trails, catalog::TrailStore::open(*catalog));
  // Calls that were cut off between their effect and their record: what they changed is in force
  // from here on.
  OT_TRY_DO(trails->settle_pending(value(journal->end())));
  objects::ObjectStore& bucket_store =
      foreign ? *foreign : static_cast<objects::ObjectStore&>(*embedded);
  delivery::DeliveryOptions options;
  options.delivery_interval = config.delivery_interval;
  options.digest_interval = config.digest_interval;
  options.regions = config.regions;
  OT_TRY(delivery, delivery::Delivery::open(
                       {*journal, *trails, *catalog, bucket_store, *keyring, random, clock},
                       std::move(options)));
  delivery->start();
  retention = std::make_unique<JournalRetention>(*journal, *history, *delivery);
  return {};
}

void Application::Parts::open_pipeline() {
  recorder = std::make_unique<Recorder>(
      *journal, [this](const record::Record& record) { return delivery->wanted(record); });
  Pipeline::Parts parts{*iam, *recorder,      *journal,           clock, random, *workers,
                        {},   config.regions, config.lookup_rate, {}};
  parts.history_read = [this](journal::Offset offset) { history->need_not_wait_for(offset); };
  services::S3Options s3;
  s3.is_allowed = [this](const iam::Caller& caller, std::string_view action,
                         std::string_view resource) {
    return !iam->deny_reason(caller, action, resource);
  };
  s3.regions = config.regions;
  auto& all = parts.services;
  using services::cloudtrail::CloudTrailParts;
  using services::cloudtrail::CloudTrailService;
  all.push_back(std::make_unique<CloudTrailService>(
      CloudTrailParts{*trails, *delivery, *history, *iam, clock, *workers, config.regions}));
  all.push_back(std::make_unique<services::IamService>(*iam, *workers));
  all.push_back(std::make_unique<services::StsService>());
  all.push_back(services::S3Service::make(*embedded, *workers, std::move(s3)));
  ingest = std::make_unique<services::ingest::IngestService>(*journal, *history, clock, *workers);
  search = std::make_unique<services::event_search::SearchService>(*history, *iam);
  all.push_back(std::make_unique<services::OwnApi>(std::vector<services::OwnApi::Route>{
      {"POST", "/opentrail/v1/records", ingest.get()},
      {"GET", "/opentrail/v1/accounts", ingest.get()},
      {"POST", services::event_search::kSearchPath, search.get()},
      {"POST", services::event_search::kCountPath, search.get()}}));
  pipeline = std::make_unique<Pipeline>(std::move(parts));
}

Result<void> Application::Parts::open_gateway() {
  gateway::RoutesOptions options;
  options.settings = config.upstreams;
  options.upstream.ca_file = config.upstream_ca_file;
  options.upstream.answer_timeout = config.upstream_timeout;
  options.upstream.progress_timeout = config.upstream_timeout;
  options.own_addresses = {fmt::format("{}:{}", config.listen_address, http->port())};
  OT_TRY(auto routes, gateway::Routes::make(options));
  if (routes.empty()) {
    return {};
  }
  gateway = std::make_unique<gateway::Gateway>(gateway::Gateway::Parts{
      *iam, clock, random, std::move(routes), config.upstream_recording, intents.get(),
      [this](const record::CallFacts& facts, gateway::Wait wait) {
        return record_forwarded(facts, wait);
      },
      [this] { return journal->failure().has_value(); }});
  return {};
}

/// Calls of an earlier run whose outcome never came to the record get the record of their intent.
Result<void> Application::Parts::settle_intents() {
  const std::string intents_folder = path("intents");
  if (config.upstream_recording != gateway::Mode::Strict && !files->exists(intents_folder)) {
    return {};
  }
  OT_TRY(intents, gateway::Intents::open(*files, intents_folder));
  std::size_t unknown = 0;
  const auto settle = [&](record::Record intent) -> Result<void> {
    OT_TRY(const bool recorded, history->contains(intent.id));
    if (recorded) {
      return {};
    }
    ++unknown;
    std::vector<record::Record> batch;
    batch.push_back(std::move(intent));
    auto appended = journal->append_and_wait(std::move(batch));
    return appended ? Result<void>() : std::unexpected(std::move(appended).error());
  };
  OT_TRY_DO(intents->settle(settle));
  if (unknown > 0) {
    log::warn("{} calls through the gateway were cut off: their records say OutcomeUnknown",
              unknown);
  }
  return {};
}

Result<void> Application::Parts::open_all() {
  workers = std::make_unique<boost::asio::thread_pool>(kWorkers);
  OT_TRY_DO(open_folder());
  OT_TRY_DO(open_identity());
  OT_TRY_DO(listen());
  OT_TRY_DO(open_log());
  OT_TRY_DO(open_objects());
  OT_TRY_DO(open_delivery());
  open_pipeline();
  OT_TRY_DO(settle_intents());
  OT_TRY_DO(open_gateway());
  health.set_ready(true);
  return {};
}

/// Against the order of start: whoever gives work stops before whoever takes it.
void Application::Parts::stop() {
  if (stopped) {
    return;
  }
  stopped = true;
  health.set_ready(false);
  if (gateway) {
    gateway->begin_stop();
  }
  if (http) {
    http->stop(kStopGrace);
  }
  if (gateway) {
    gateway->stop();
  }
  if (intents) {
    intents->stop();
  }
  retention.reset();
  if (delivery) {
    delivery->stop();
  }
  if (workers) {
    workers->join();
  }
  // An import or a search that outlasted the grace goes back to its connection's thread when it
  // ends: that must be before the HTTP server is destroyed.
  if (ingest) {
    ingest->stop();
  }
  if (search) {
    search->stop();
  }
  if (journal) {
    journal->stop();
  }
  if (history) {
    history->stop();
  }
}

boost::asio::awaitable<Result<void>> Application::Parts::record_forwarded(
    const record::CallFacts& facts, gateway::Wait wait) {
  const auto recorded = co_await recorder->record(
      facts, wait == gateway::Wait::Durable ? Recorder::Wait::ByKind : Recorder::Wait::Never);
  co_return recorded ? Result<void>() : std::unexpected(recorded.error());
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
  if (gateway) {
    auto destination = gateway->destination_of(exchange.request());
    if (destination.service.empty()) {
      destination.service = pipeline->guess_service(exchange.request());
      destination.guessed = true;
    }
    if (gateway->takes(destination, pipeline->has_service(destination.service))) {
      co_await gateway->answer(exchange, destination);
      co_return;
    }
  }
  co_await pipeline->answer(exchange);
}

boost::asio::awaitable<void> Application::Parts::record_refused(
    const net::RefusedRequest& refused) {
  if (!health.ready() || journal->failure()) {
    co_return;  // there is nothing to put it on; net's answer stands
  }
  auto facts = refused_request_facts(refused, iam->account_id());
  facts.event_time = clock.now();
  facts.event_id = io::make_uuid(random);
  static_cast<void>(co_await recorder->record(facts));
}

Application::Application(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Application::~Application() { stop(); }

Result<std::unique_ptr<Application>> Application::start(Config config) {
  auto parts = std::make_unique<Parts>();
  parts->config = std::move(config);
  if (auto opened = parts->open_all(); !opened) {
    parts->stop();
    return std::unexpected(std::move(opened).error());
  }
  return std::unique_ptr<Application>(new Application(std::move(parts)));
}

std::string Application::endpoint() const {
  const bool tls = !parts_->config.tls_certificate_file.empty();
  const std::string& address = parts_->config.listen_address;
  const bool ipv6 = address.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", tls ? "https" : "http", ipv6 ? "[" : "", address,
                     ipv6 ? "]" : "", parts_->http->port());
}

std::string Application::credentials_path() const { return parts_->path("credentials"); }

std::string Application::certificate_file() const { return parts_->config.tls_certificate_file; }

void Application::stop() { parts_->stop(); }

}  // namespace opentrail::server
