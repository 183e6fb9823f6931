#pragma once
#include "services/s3/xml_writer.h"

#include <string>
#include <string_view>

namespace opentrail::services::s3 {

/// The canonical user id of an account: 64 hex digits, made of its account id.
[[nodiscard]] std::string canonical_user_id(std::string_view account_id);

/// <Owner>, or another element that names the account.
void write_owner(XmlWriter& xml, std::string_view account_id, std::string_view element = "Owner");

/// The only ACL there is here: the owner has FULL_CONTROL.
[[nodiscard]] std::string owner_acl(std::string_view account_id);

/// True for the canned ACLs that say the same as owner_acl(); others would have to be refused.
[[nodiscard]] bool is_owner_acl(std::string_view canned);

}  // namespace opentrail::services::s3
