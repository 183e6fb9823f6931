// Goal: XML that is written can be read back with every character kept, and foreign documents
// cannot do more than say what they say.
#include "services/s3/multipart.h"
#include "services/s3/xml_reader.h"
#include "services/s3/xml_writer.h"

#include <gtest/gtest.h>

namespace opentrail::services::s3 {
namespace {

TEST(XmlWriter, WritesNestedElementsAndEscapes) {
  XmlWriter xml("Result");
  xml.open("Item", "kind=\"a\"").element("Key", "a<b>&\"c\"\x01").close();
  xml.element("Empty", "");
  EXPECT_EQ(xml.finish(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<Result xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<Item kind=\"a\"><Key>a&lt;b&gt;&amp;&quot;c&quot;&#x1;</Key></Item>"
            "<Empty></Empty></Result>");
}

TEST(XmlReader, ReadsWhatWasWritten) {
  XmlWriter xml("Delete");
  xml.element("Quiet", "true");
  for (const std::string_view key : {" a b ", "<&>", "\xC3\xA4"}) {
    xml.open("Object").element("Key", key).close();
  }
  const std::string text = xml.finish();
  const auto body = XmlBody::parse(text, "Delete");
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(body->root().name(), "Delete");
  EXPECT_EQ(body->root().text("Quiet"), "true");
  EXPECT_EQ(body->root().text("None"), "");
  EXPECT_FALSE(body->root().has("None"));
  EXPECT_EQ(body->root().child("None").text("Key"), "");
  const auto objects = body->root().children("Object");
  ASSERT_EQ(objects.size(), 3U);
  EXPECT_EQ(objects[0].raw_text("Key"), " a b ");
  EXPECT_EQ(objects[0].text("Key"), "a b");
  EXPECT_EQ(objects[1].text("Key"), "<&>");
  EXPECT_EQ(objects[2].text("Key"), "\xC3\xA4");
}

TEST(XmlReader, LooksThroughNamespaces) {
  const auto body = XmlBody::parse(
      "<s3:Delete xmlns:s3='x'><s3:Object><s3:Key>k</s3:Key></s3:Object></s3:Delete>", "Delete");
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(body->root().child("Object").text("Key"), "k");
}

TEST(XmlReader, RefusesWhatIsNotTheDocument) {
  const std::string nested = [] {
    std::string text;
    for (int i = 0; i < 100000; ++i) {
      text += "<a>";
    }
    return text;
  }();
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("<Delete>"), std::string("<Other/>"),
        std::string("<Delete>\xFF</Delete>"), nested,
        "<Delete>" + std::string(kXmlBodyBytesMax, ' ') + "</Delete>"}) {
    const auto body = XmlBody::parse(text, "Delete");
    ASSERT_FALSE(body.has_value()) << text.substr(0, 40);
    EXPECT_EQ(body.error().reason(), "MalformedXML");
  }
}

TEST(XmlReader, EntitiesOfADoctypeAreNotExpanded) {
  const auto body = XmlBody::parse(
      "<!DOCTYPE d [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Delete><Quiet>&x;</Quiet></Delete>",
      "Delete");
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(body->root().text("Quiet"), "&x;");
}

TEST(XmlReader, DeepDocumentsAreRecordedToALimit) {
  std::string text;
  for (int i = 0; i < 50000; ++i) {
    text += "<a>";
  }
  for (int i = 0; i < 50000; ++i) {
    text += "</a>";
  }
  const auto body = XmlBody::parse(text, "a");
  ASSERT_TRUE(body.has_value());
  EXPECT_LT(to_text(body->to_json()).size(), 200U);
}

TEST(XmlReader, BecomesJsonAsItIsRecorded) {
  const auto body = XmlBody::parse(
      "<C xmlns=\"u\"><On>true</On><N>1</N><R><V>a</V></R><R><V>b</V></R><E/></C>", "C");
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(to_text(body->to_json()),
            R"({"C":{"xmlns":"u","On":true,"N":"1","R":[{"V":"a"},{"V":"b"}],"E":""}})");
}

TEST(Multipart, ReadsTheListOfParts) {
  const auto parts = parse_completed_parts(
      "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"e\"</ETag>"
      "<ChecksumCRC32>AAAA</ChecksumCRC32></Part></CompleteMultipartUpload>");
  ASSERT_TRUE(parts.has_value());
  ASSERT_EQ(parts->size(), 1U);
  EXPECT_EQ(parts->front().number, 1);
  EXPECT_EQ(parts->front().etag, "\"e\"");
  EXPECT_EQ(parts->front().checksums, (objects::Checksums{{"crc32", "AAAA"}}));
  std::string all = "<CompleteMultipartUpload>";
  for (int number = 1; number <= kPartNumberMax; ++number) {
    all += "<Part><ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag><ChecksumSHA256>" +
           std::string(44, 'A') + "</ChecksumSHA256><PartNumber>" + std::to_string(number) +
           "</PartNumber></Part>";
  }
  EXPECT_TRUE(parse_completed_parts(all + "</CompleteMultipartUpload>").has_value());
  EXPECT_EQ(parse_completed_parts("<CompleteMultipartUpload/>").error().reason(), "MalformedXML");
  for (const std::string_view number : {"0", "10001", "x", "", "-1"}) {
    EXPECT_FALSE(parse_part_number(number).has_value()) << number;
  }
}

}  // namespace
}  // namespace opentrail::services::s3
