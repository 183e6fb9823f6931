#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace opentrail {

/// An instant, UTC, milliseconds. Record times have whole seconds; the wire's epoch numbers do not.
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

/// "2026-11-24T08:46:13Z": as in records, digests and status strings (spec records §1, header).
[[nodiscard]] std::string to_iso_seconds(Timestamp time);
/// "2026-11-24T08:46:13.250Z": as S3 listings show it.
[[nodiscard]] std::string to_iso_millis(Timestamp time);
/// "20261124T084613Z": SigV4 dates and digest file names.
[[nodiscard]] std::string to_iso_basic(Timestamp time);
/// "20261124T0846Z": log file names, minutes only.
[[nodiscard]] std::string to_iso_basic_minutes(Timestamp time);
/// "20261124".
[[nodiscard]] std::string to_iso_basic_date(Timestamp time);
/// "2026/11/24": the date folders of delivered files.
[[nodiscard]] std::string to_date_folders(Timestamp time);
/// "Tue, 24 Nov 2026 08:46:13 GMT": HTTP Date and Last-Modified.
[[nodiscard]] std::string to_http_date(Timestamp time);
/// "Nov 24, 2026, 8:46:13 AM": IAM and STS timestamps inside records (spec records §1.5).
[[nodiscard]] std::string to_record_style(Timestamp time);
/// 1795510000.25: epoch seconds as AWS JSON prints them, at most three decimals, none when whole.
[[nodiscard]] std::string to_epoch_number(Timestamp time);

/// Parses "YYYY-MM-DD[T ]HH:MM[:SS[.fraction]][Z|+hh:mm]"; without a zone it is UTC. Fractions
/// beyond milliseconds are cut. Nothing else is accepted. Stored records are read by this again:
/// what it accepts is a part of the journal's format.
[[nodiscard]] std::optional<Timestamp> parse_iso(std::string_view text);
/// Parses "YYYYMMDDTHHMMSSZ" (x-amz-date).
[[nodiscard]] std::optional<Timestamp> parse_iso_basic(std::string_view text);
/// Parses the RFC 1123 form of HTTP's Date header.
[[nodiscard]] std::optional<Timestamp> parse_http_date(std::string_view text);

}  // namespace opentrail
