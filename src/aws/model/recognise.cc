#include "aws/model/recognise.h"

#include "aws/regions.h"
#include "base/text.h"

#include <algorithm>
#include <map>

namespace opentrail::aws::model {
namespace {

constexpr std::string_view kFormType = "application/x-www-form-urlencoded";
constexpr std::size_t kFormFieldsMax = 5000;

/// REST operations by signing name and method.
struct RestOperation {
  const Service* service;
  std::size_t index;
  UriTemplate uri;
};
using RestOperations = std::map<std::pair<std::string_view, std::string_view>,
                                std::vector<RestOperation>, std::less<>>;

const RestOperations& rest_operations() {
  static const RestOperations kOperations = [] {
    RestOperations all;
    for (const Service& service : services()) {
      if (!service.speaks(Protocol::RestJson) && !service.speaks(Protocol::RestXml)) {
        continue;
      }
      for (std::size_t i = 0; i < service.operation_count; ++i) {
        const Operation operation = service.operation(i);
        all[{service.signing_name, operation.method}].push_back(
            {&service, i, UriTemplate(operation.uri)});
      }
    }
    return all;
  }();
  return kOperations;
}

/// "eu-west-1", "us-gov-east-1": two dashes at least and a number behind the last.
bool looks_like_region(std::string_view label) {
  const auto dash = label.rfind('-');
  return is_region_name(label) && std::ranges::count(label, '-') >= 2 &&
         is_digits(label.substr(dash + 1));
}

std::string_view behind_last_dot(std::string_view text) { return text.substr(text.rfind('.') + 1); }

/// Services by the prefix of X-Amz-Target, whole ("com.amazonaws.x.Y_1") and behind its last dot.
using Targets = std::multimap<std::string_view, const Service*, std::less<>>;
const Targets& target_services() {
  static const Targets kTargets = [] {
    Targets all;
    for (const Service& service : services()) {
      if (service.target_prefix.empty()) {
        continue;
      }
      all.emplace(service.target_prefix, &service);
      if (behind_last_dot(service.target_prefix) != service.target_prefix) {
        all.emplace(behind_last_dot(service.target_prefix), &service);
      }
    }
    return all;
  }();
  return kTargets;
}

std::optional<RecognisedCall> by_target(std::string_view prefix, std::string_view name,
                                        const CallContext& context, Protocol protocol) {
  std::optional<RecognisedCall> best;
  const auto [first, last] = target_services().equal_range(prefix);
  for (auto at = first; at != last; ++at) {
    const Service& service = *at->second;
    const auto operation = service.find_operation(name);
    if (operation && (!best || service.signing_name == context.signing_name)) {
      best = RecognisedCall{&service, *operation, protocol, {}, {}, {}};
    }
  }
  return best;
}

std::optional<RecognisedCall> recognise_json(const net::RequestHead& head,
                                             const CallContext& context) {
  const std::string_view target = head.headers.get("x-amz-target");
  const auto dot = target.rfind('.');
  if (dot == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view name = target.substr(dot + 1);
  auto call = by_target(target.substr(0, dot), name, context, Protocol::Json);
  return call ? std::move(call)
              : by_target(behind_last_dot(target.substr(0, dot)), name, context, Protocol::Json);
}

/// "/service/GraniteServiceVersion20100801/operation/PutMetricData", perhaps behind a prefix
/// (Smithy RPC v2 CBOR).
std::optional<RecognisedCall> recognise_cbor(const net::RequestHead& head,
                                             const CallContext& context) {
  constexpr std::string_view kService = "/service/";
  constexpr std::string_view kOperation = "/operation/";
  const std::string_view path = head.path();
  const auto service = path.rfind(kService);
  const auto operation = path.rfind(kOperation);
  if (service == std::string_view::npos || operation == std::string_view::npos ||
      operation < service + kService.size()) {
    return std::nullopt;
  }
  const auto from = service + kService.size();
  const std::string_view name = path.substr(operation + kOperation.size());
  const std::string_view prefix = path.substr(from, operation - from);
  auto call = by_target(prefix, name, context, Protocol::Cbor);
  return call ? std::move(call) : by_target(behind_last_dot(prefix), name, context, Protocol::Cbor);
}

bool is_form(const net::RequestHead& head) {
  return head.headers.get("content-type").starts_with(kFormType);
}

/// The parameters of a Query call: the body's, behind those of the query string.
NamedValues read_form(const net::RequestHead& head, std::string_view body) {
  NamedValues all;
  if (auto fields = net::parse_query(head.query(), true)) {
    all = std::move(*fields);
  }
  if (is_form(head)) {
    if (auto fields = net::parse_query(body, true)) {
      std::ranges::move(*fields, std::back_inserter(all));
    }
  }
  std::erase_if(all, [](const auto& field) { return field.first.starts_with("X-Amz-"); });
  all.resize(std::min(all.size(), kFormFieldsMax));
  return all;
}

std::string take(NamedValues& fields, std::string_view name) {
  std::string value;
  std::erase_if(fields, [&](auto& field) {
    if (field.first != name) {
      return false;
    }
    if (value.empty()) {
      value = std::move(field.second);
    }
    return true;
  });
  return value;
}

/// Several services can have an operation of that name: the version, then the signing name, then
/// the service that is called as it signs ("rds" before "neptune") say which is meant.
std::optional<RecognisedCall> recognise_query(const net::RequestHead& head, std::string_view body,
                                              const CallContext& context) {
  NamedValues form = read_form(head, body);
  const std::string action = take(form, "Action");
  const std::string version = take(form, "Version");
  if (action.empty()) {
    return std::nullopt;
  }
  const Service* best = nullptr;
  int best_weight = 0;
  const auto consider = [&](const Service& service) {
    const bool signs = service.signing_name == context.signing_name;
    const int weight = (signs ? 8 : 0) + (service.api_version == version ? 4 : 0) +
                       (service.speaks(Protocol::Query) || service.speaks(Protocol::Ec2) ? 2 : 0) +
                       (service.id == service.signing_name ? 1 : 0);
    // Without a scope the version alone must say it.
    const bool possible = signs || (context.signing_name.empty() && service.api_version == version);
    if (possible && weight > best_weight && service.find_operation(action)) {
      best = &service;
      best_weight = weight;
    }
  };
  for (const Service& service : services()) {
    consider(service);
  }
  if (best == nullptr) {
    return std::nullopt;
  }
  const bool ec2 = best->speaks(Protocol::Ec2);
  return RecognisedCall{best,
                        *best->find_operation(action),
                        ec2 ? Protocol::Ec2 : Protocol::Query,
                        {},
                        std::move(form),
                        {}};
}

/// Where S3's patterns alone do not tell two operations apart: what the query and the headers say
/// (S3 API reference; the members that the models call required).
std::string_view s3_operation(std::string_view name, const net::RequestHead& head,
                              const Target& target) {
  const bool copies = head.headers.find("x-amz-copy-source").has_value();
  const bool of_upload = target.query_value("uploadId") != nullptr;
  if (name == "PutObject" || name == "CopyObject" || name == "UploadPart" ||
      name == "UploadPartCopy") {
    if (of_upload) {
      return copies ? "UploadPartCopy" : "UploadPart";
    }
    return copies ? "CopyObject" : "PutObject";
  }
  if (of_upload && head.method == "GET") {
    return "ListParts";
  }
  if (of_upload && head.method == "DELETE") {
    return "AbortMultipartUpload";
  }
  if (of_upload && head.method == "POST") {
    return "CompleteMultipartUpload";
  }
  if (name == "ListParts") {
    return "GetObject";
  }
  if (name == "AbortMultipartUpload") {
    return "DeleteObject";
  }
  if (name == "ListObjects" || name == "ListObjectsV2") {
    const std::string* type = target.query_value("list-type");
    return type != nullptr && *type == "2" ? "ListObjectsV2" : "ListObjects";
  }
  return name;
}

std::optional<RecognisedCall> recognise_rest(const net::RequestHead& head,
                                             const CallContext& context) {
  const auto target = Target::parse(context.bucket, head.path(), head.query());
  const auto candidates =
      rest_operations().find(std::pair(context.signing_name, std::string_view(head.method)));
  if (!target || candidates == rest_operations().end()) {
    return std::nullopt;
  }
  const RestOperation* best = nullptr;
  unsigned best_weight = 0;
  for (const RestOperation& candidate : candidates->second) {
    const auto weight = candidate.uri.match(*target);
    if (weight && (best == nullptr || *weight > best_weight)) {
      best = &candidate;
      best_weight = *weight;
    }
  }
  if (best == nullptr) {
    return std::nullopt;
  }
  const Service& service = *best->service;
  Operation operation = service.operation(best->index);
  if (service.id == "s3") {
    operation =
        service.find_operation(s3_operation(operation.name, head, *target)).value_or(operation);
  }
  const Protocol protocol =
      service.speaks(Protocol::RestXml) ? Protocol::RestXml : Protocol::RestJson;
  return RecognisedCall{&service,      operation,      protocol, best->uri.labels(*target),
                        NamedValues(), target->query()};
}

/// Names and values were set by the caller: what is no UTF-8 in them is replaced.
void clean(NamedValues& values) {
  for (auto& [name, value] : values) {
    name = to_valid_utf8(name);
    value = to_valid_utf8(value);
  }
}

std::optional<RecognisedCall> find_call(const net::RequestHead& head, std::string_view body,
                                        const CallContext& context) {
  if (auto call = recognise_json(head, context)) {
    return call;
  }
  if (auto call = recognise_cbor(head, context)) {
    return call;
  }
  if (auto call = recognise_query(head, body, context)) {
    return call;
  }
  return recognise_rest(head, context);
}

}  // namespace

std::optional<RecognisedCall> recognise(const net::RequestHead& head, std::string_view body,
                                        const CallContext& context) {
  auto call = find_call(head, body, context);
  if (call) {
    clean(call->labels);
    clean(call->form);
    clean(call->query);
  }
  return call;
}

std::string named_operation(const net::RequestHead& head, std::string_view body) {
  const std::string_view target = head.headers.get("x-amz-target");
  if (!target.empty()) {
    return std::string(behind_last_dot(target));
  }
  NamedValues form = read_form(head, body);
  return take(form, "Action");
}

HostNames read_host(std::string_view host) {
  host = host.substr(0, host.rfind(':') == std::string_view::npos || host.ends_with(']')
                            ? host.size()
                            : host.rfind(':'));
  HostNames names;
  std::size_t start = 0;
  const auto labels = split(host, '.');
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::string_view label = labels[i];
    if (names.region.empty() && looks_like_region(label)) {
      names.region = label;
    }
    if (names.signing_name.empty() && i + 1 < labels.size()) {
      const bool known = !services_signing_as(label).empty();
      const auto by_endpoint = std::ranges::find(services(), label, &Service::endpoint_prefix);
      if (known || by_endpoint != services().end()) {
        names.signing_name = known ? label : by_endpoint->signing_name;
        if (names.signing_name == "s3" && start > 0) {
          names.bucket = host.substr(0, start - 1);
        }
      }
    }
    start += label.size() + 1;
  }
  return names;
}

}  // namespace opentrail::aws::model
