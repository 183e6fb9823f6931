#include "services/s3/acl.h"

#include "crypto/hash.h"

#include <fmt/format.h>

namespace opentrail::services::s3 {

std::string canonical_user_id(std::string_view account_id) {
  return crypto::sha256_hex(fmt::format("canonical user of account {}", account_id));
}

void write_owner(XmlWriter& xml, std::string_view account_id, std::string_view element) {
  xml.open(element).element("ID", canonical_user_id(account_id)).close();
}

std::string owner_acl(std::string_view account_id) {
  XmlWriter xml("AccessControlPolicy");
  write_owner(xml, account_id);
  xml.open("AccessControlList").open("Grant");
  xml.open("Grantee",
           "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"");
  xml.element("ID", canonical_user_id(account_id)).close();
  xml.element("Permission", "FULL_CONTROL");
  return xml.finish();
}

bool is_owner_acl(std::string_view canned) {
  return canned.empty() || canned == "private" || canned == "bucket-owner-full-control";
}

}  // namespace opentrail::services::s3
