#pragma once
#include "journal/dictionary.h"
#include "record/record.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

/// Made-up records for tests and measurements, shaped like real ones.
namespace opentrail::journal::synthetic {

/// Text that no compressor makes shorter by more than a quarter, the same for the same `seed`.
inline std::string noise(std::uint64_t seed, std::size_t bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  text.reserve(bytes);
  for (std::size_t i = 0; i < bytes; ++i) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    text.push_back(kAlphabet[seed >> 58U]);
  }
  return text;
}

/// Record number `n`: some 1,100 bytes of a call, with `noise_bytes` more that do not compress.
inline record::Record make_record(std::uint64_t n, std::size_t noise_bytes = 0) {
  constexpr std::string_view kNames[] = {"RunInstances", "PutObject", "CreateUser", "AssumeRole"};
  constexpr std::string_view kRegions[] = {"us-east-1", "eu-west-1", "ap-southeast-2"};
  record::Record record;
  record.id = fmt::format("{:08x}-1c5e-4f0a-9a3c-{:012x}", n, n);
  record.account_id = fmt::format("{:012}", 111122223333U + n % 5);
  record.region = kRegions[n % 3];
  record.event_time = Timestamp(std::chrono::milliseconds(1795510000000 + n * 250));
  record.category = n % 4 == 1 ? record::Category::Data : record::Category::Management;
  record.origin = n % 7 == 0 ? record::Origin::Import : record::Origin::Call;
  record.event_time_is_arrival = n % 11 == 0;
  record.json = fmt::format(
      R"({{"eventVersion":"1.11","userIdentity":{{"type":"AssumedRole","principalId":"{0}:session",)"
      R"("arn":"arn:aws:sts::{1}:assumed-role/deploy/session-{2}","accountId":"{1}",)"
      R"("accessKeyId":"{0}","sessionContext":{{"sessionIssuer":{{"type":"Role",)"
      R"("arn":"arn:aws:iam::{1}:role/deploy","accountId":"{1}","userName":"deploy"}},)"
      R"("attributes":{{"mfaAuthenticated":"false","creationDate":"2026-11-24T08:46:13Z"}}}}}},)"
      R"("eventTime":"{3}","eventSource":"ec2.amazonaws.com","eventName":"{4}",)"
      R"("awsRegion":"{5}","sourceIPAddress":"198.51.100.{6}","userAgent":"aws-cli/2.15.0",)"
      R"("requestParameters":{{"instanceType":"t3.micro","clientToken":"{7}"}},)"
      R"("responseElements":null,"requestID":"{7}","eventID":"{8}","readOnly":false,)"
      R"("eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{1}",)"
      R"("eventCategory":"Management","noise":"{9}"}})",
      noise(n % 50, 20), record.account_id, n % 50, to_iso_seconds(record.event_time),
      kNames[n % 4], record.region, n % 250, noise(n, 24), record.id, noise(n, noise_bytes));
  return record;
}

/// The same, parsed: with terms, so that its fields follow from its JSON.
inline record::Record make_parsed_record(std::uint64_t n, std::size_t noise_bytes = 0) {
  record::Record made = make_record(n, noise_bytes);
  if (made.event_time_is_arrival) {
    made.json.replace(made.json.find("\"eventTime\""), 11, "\"eventTme\"");
  }
  record::Record record =
      record::parse_record(std::move(made.json), made.origin, made.event_time).value();
  record.terms.add(record::Field::EventName, "RunInstances");
  return record;
}

inline std::vector<record::Record> make_records(std::uint64_t first, std::uint64_t count,
                                                std::size_t noise_bytes = 0) {
  std::vector<record::Record> records;
  records.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    records.push_back(make_record(first + i, noise_bytes));
  }
  return records;
}

/// Of other records of the same shape, and small: segments of tests are.
inline std::shared_ptr<const Dictionary> make_dictionary() {
  constexpr std::size_t kBytes = 4096;
  const std::vector<record::Record> records = make_records(1'000'000, 400);
  std::vector<std::string_view> jsons;
  jsons.reserve(records.size());
  for (const record::Record& record : records) {
    jsons.emplace_back(record.json);
  }
  return Dictionary::train(jsons, kBytes).value();
}

inline bool same(const record::Record& a, const record::Record& b) {
  return a.id == b.id && a.account_id == b.account_id && a.region == b.region &&
         a.event_time == b.event_time && a.category == b.category && a.origin == b.origin &&
         a.event_time_is_arrival == b.event_time_is_arrival && a.json == b.json;
}

}  // namespace opentrail::journal::synthetic
