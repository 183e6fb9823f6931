#include "aws/model/service_table.h"

#include "base/error.h"

#include <algorithm>
#include <cstring>
#include <map>

// The table, as generate_table.py wrote it; the path comes from the build.
// The assembler's .incbin takes it as it is: #embed is not C++23, and a source of 4 MB of numbers
// compiles for minutes. NOLINTNEXTLINE(portability-no-assembler)
asm(".section .rodata.opentrail_service_table,\"a\"\n"
    ".balign 16\n"
    ".global opentrail_service_table\n"
    "opentrail_service_table:\n"
    ".incbin \"" OPENTRAIL_SERVICE_TABLE
    "\"\n"
    ".previous\n");
// NOLINTNEXTLINE(readability-identifier-naming): the assembler's name
extern "C" const std::uint32_t opentrail_service_table[];

namespace opentrail::aws::model {
namespace {

constexpr std::uint32_t kMagic = 0x4D53544F;
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderWords = 6;
constexpr std::size_t kServiceWords = 10;
constexpr std::size_t kOperationWords = 9;
constexpr std::size_t kMemberWords = 4;

/// Where the parts of the table begin.
struct Parts {
  std::size_t service_count = 0;
  const std::uint32_t* services = nullptr;
  const std::uint32_t* operations = nullptr;
  const std::uint32_t* shapes = nullptr;
  const char* heap = nullptr;
};

const Parts& parts() {
  static const Parts kParts = [] {
    const std::uint32_t* words = opentrail_service_table;
    OT_CHECK(words[0] == kMagic && words[1] == kVersion);
    Parts found;
    found.service_count = words[2];
    found.services = words + kHeaderWords;
    found.operations = found.services + found.service_count * kServiceWords;
    found.shapes = found.operations + std::size_t{words[3]} * kOperationWords;
    found.heap = reinterpret_cast<const char*>(found.shapes + words[4]);
    return found;
  }();
  return kParts;
}

std::string_view text_at(std::uint32_t place) {
  const char* start = parts().heap + place;
  std::uint16_t length = 0;
  std::memcpy(&length, start, sizeof(length));
  return {start + sizeof(length), length};
}

Shape shape_at(std::uint32_t place) { return place == 0 ? Shape() : Shape(parts().shapes + place); }

Operation operation_at(const std::uint32_t* words) {
  Operation operation;
  operation.name = text_at(words[0]);
  operation.event_name = text_at(words[1]);
  operation.method = text_at(words[2]);
  operation.uri = text_at(words[3]);
  operation.input = shape_at(words[4]);
  operation.output = shape_at(words[5]);
  operation.result_wrapper = text_at(words[6]);
  operation.data_resource_type = text_at(words[7]);
  operation.read_only = (words[8] & 1) != 0;
  operation.data_event = (words[8] & 2) != 0;
  return operation;
}

std::vector<Service> read_services() {
  std::vector<Service> all;
  for (std::size_t i = 0; i < parts().service_count; ++i) {
    const std::uint32_t* words = parts().services + i * kServiceWords;
    Service& service = all.emplace_back();
    service.id = text_at(words[0]);
    service.signing_name = text_at(words[1]);
    service.endpoint_prefix = text_at(words[2]);
    service.event_source = text_at(words[3]);
    service.target_prefix = text_at(words[4]);
    service.api_version = text_at(words[5]);
    service.protocols = static_cast<std::uint8_t>(words[6]);
    service.first_operation = words[7];
    service.operation_count = words[8];
    service.raw_names = (words[9] & 1) != 0;
  }
  return all;
}

}  // namespace

Member Shape::member(std::size_t index) const {
  const std::uint32_t* words = words_ + 2 + index * kMemberWords;
  Member member;
  member.name = text_at(words[0]);
  member.wire_name = text_at(words[1]);
  member.shape = shape_at(words[2]);
  member.location = static_cast<Location>(words[3] & 0xFF);
  member.flattened = (words[3] >> 8 & 2) != 0;
  member.streaming = (words[3] >> 8 & 4) != 0;
  member.attribute = (words[3] >> 8 & 16) != 0;
  return member;
}

std::optional<Member> Shape::find(std::string_view name) const {
  std::optional<std::size_t> by_name;
  for (std::size_t i = 0; i < member_count(); ++i) {
    const std::uint32_t* words = words_ + 2 + i * kMemberWords;
    if (text_at(words[1]) == name) {
      return member(i);
    }
    if (text_at(words[0]) == name) {
      by_name = i;
    }
  }
  return by_name ? std::optional(member(*by_name)) : std::nullopt;
}

std::optional<Member> Shape::payload() const {
  return words_[1] == 0 ? std::nullopt : std::optional(member(words_[1] - 1));
}

Shape Shape::item() const { return shape_at(words_[1]); }
std::string_view Shape::item_name() const { return text_at(words_[2]); }
Shape Shape::value() const { return shape_at(words_[2]); }
std::string_view Shape::key_name() const { return text_at(words_[3]); }
std::string_view Shape::value_name() const { return text_at(words_[4]); }

Operation Service::operation(std::size_t index) const {
  return operation_at(parts().operations + (first_operation + index) * kOperationWords);
}

std::optional<Operation> Service::find_operation(std::string_view name) const {
  std::size_t low = 0;
  std::size_t high = operation_count;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    const auto* words = parts().operations + (first_operation + middle) * kOperationWords;
    const std::string_view here = text_at(words[0]);
    if (here == name) {
      return operation_at(words);
    }
    (here < name ? low : high) = here < name ? middle + 1 : middle;
  }
  return std::nullopt;
}

std::span<const Service> services() {
  static const std::vector<Service> kServices = read_services();
  return kServices;
}

const Service* find_service(std::string_view id) {
  const auto all = services();
  const auto found = std::ranges::lower_bound(all, id, {}, &Service::id);
  return found == all.end() || found->id != id ? nullptr : &*found;
}

std::span<const Service* const> services_signing_as(std::string_view signing_name) {
  static const auto kBySigningName = [] {
    std::map<std::string_view, std::vector<const Service*>, std::less<>> by_name;
    for (const Service& service : services()) {
      by_name[service.signing_name].push_back(&service);
    }
    return by_name;
  }();
  const auto found = kBySigningName.find(signing_name);
  return found == kBySigningName.end() ? std::span<const Service* const>() : found->second;
}

}  // namespace opentrail::aws::model
