// Goal: a head that two readers could take apart differently is refused, every other is not.
// Method: a table of both.
#include "net/head_check.h"

#include <gtest/gtest.h>

namespace opentrail::net {
namespace {

constexpr std::size_t kFieldsMax = 10;

std::string defect_of(std::string_view raw) { return head_defect(raw, kFieldsMax).value_or(""); }

TEST(HeadCheck, PassesCleanHeads) {
  EXPECT_EQ(defect_of("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "");
  EXPECT_EQ(defect_of("GET / HTTP/1.0\r\n\r\n"), "");
  EXPECT_EQ(defect_of("GET / HTTP/1.1\r\nHost: a\r\nConnection: close ,, X-a\r\n\r\n"), "");
  EXPECT_EQ(defect_of("PUT /b/k%20x?a=b&c HTTP/1.1\r\nhost:a\r\nContent-Length: 10\r\n\r\n"), "");
  EXPECT_EQ(defect_of("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"), "");
  EXPECT_EQ(defect_of("GET / HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nX-Tab: a\tb\r\n\r\n"), "");
  EXPECT_EQ(defect_of("GET /\xC3\xA4 HTTP/1.1\r\nHost: a\r\nX: \xC3\xA4\r\n\r\n"), "");
}

TEST(HeadCheck, RefusesWhatReadersTakeApartDifferently) {
  struct Case {
    std::string_view fields;
    std::string_view defect;
  };
  const Case cases[] = {
      {"Content-Length: 1\r\nContent-Length: 1\r\n", "more than one Content-Length"},
      {"Content-Length: 1\r\ncontent-length: 2\r\n", "more than one Content-Length"},
      {"Content-Length: 1, 1\r\n", "Content-Length is not a number"},
      {"Content-Length: +1\r\n", "Content-Length is not a number"},
      {"Content-Length: -1\r\n", "Content-Length is not a number"},
      {"Content-Length: 0x1\r\n", "Content-Length is not a number"},
      {"Content-Length:\r\n", "Content-Length is not a number"},
      {"Content-Length: 99999999999999999999\r\n", "Content-Length is not a number"},
      {"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
       "Content-Length beside Transfer-Encoding"},
      {"Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding is not chunked"},
      {"Transfer-Encoding: identity\r\n", "Transfer-Encoding is not chunked"},
      {"Transfer-Encoding: xchunked\r\n", "Transfer-Encoding is not chunked"},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
       "more than one Transfer-Encoding"},
      {"Transfer-Encoding : chunked\r\n",
       "a field's name is malformed, or has space before its colon"},
      {"X: 1\r\n folded\r\n", "a field is folded over several lines"},
      {"X: 1\r\n\tfolded\r\n", "a field is folded over several lines"},
      {"X: 1\nContent-Length: 5\r\n", "a field's value has a control character"},
      {"X: 1\rContent-Length: 5\r\n", "a field's value has a control character"},
      // At the edges of a value, where some strip them as space.
      {"X:\nContent-Length: 5\r\n", "a field's value has a control character"},
      {"Content-Length: 5\r\r\n", "a field's value has a control character"},
      {"X: 1\r\r\n", "a field's value has a control character"},
      {"X:\r\r\n", "a field's value has a control character"},
      {": nameless\r\n", "a field's name is malformed, or has space before its colon"},
      {"colonless\r\n", "a field has no colon"},
      {"Connection: keep alive\r\n", "Connection is not a list of names"},
      {"Connection: close; x\r\n", "Connection is not a list of names"},
      {"Host: b\r\n", "more than one Host"},
      {"A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\nF: 1\r\nG: 1\r\nH: 1\r\nI: 1\r\nJ: 1\r\n",
       "the header has too many fields"},
  };
  for (const Case& expected : cases) {
    const std::string raw =
        "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(expected.fields) + "\r\n";
    EXPECT_EQ(defect_of(raw), expected.defect) << expected.fields;
  }
  using namespace std::string_view_literals;
  EXPECT_EQ(defect_of("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"sv),
            "a field's value has a control character");
}

TEST(HeadCheck, RefusesRequestLines) {
  const std::string host = "\r\nHost: a\r\n\r\n";
  EXPECT_EQ(defect_of("GET http://b/ HTTP/1.1" + host), "the target does not begin with a slash");
  EXPECT_EQ(defect_of("CONNECT b:443 HTTP/1.1" + host), "the target does not begin with a slash");
  EXPECT_EQ(defect_of("OPTIONS * HTTP/1.1" + host), "the target does not begin with a slash");
  EXPECT_EQ(defect_of("GET / HTTP/2.0" + host), "the HTTP version is not 1.0 or 1.1");
  EXPECT_EQ(defect_of("GET /" + host), "the request line is malformed");
  EXPECT_EQ(defect_of("GET /a b HTTP/1.1" + host),
            "the target has a space, a fragment or a control character");
  EXPECT_EQ(defect_of("GET /#a HTTP/1.1" + host),
            "the target has a space, a fragment or a control character");
  EXPECT_EQ(defect_of("G@T / HTTP/1.1" + host), "the method is malformed");
  EXPECT_EQ(defect_of("GET / HTTP/1.1\r\nX: 1\r\n\r\n"), "Host is missing");
  EXPECT_EQ(defect_of("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
            "Transfer-Encoding in HTTP/1.0");
}

TEST(HeadCheck, ChecksAnswersToo) {
  const auto answer = [](std::string_view raw) {
    return answer_defect(raw, kFieldsMax).value_or("");
  };
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"), "");
  EXPECT_EQ(answer("HTTP/1.0 200 OK\r\n\r\n"), "");
  EXPECT_EQ(answer("HTTP/1.1 204 \r\n\r\n"), "");
  for (const std::string_view line :
       {"ICY 200 OK", "HTTP/2.0 200 OK", "HTTP/1.2 200 OK", "HTTP/1.1 200", "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK", "HTTP/1.1 099 OK", "HTTP/1.1  200 OK", "HTTP/1.1 200 O\nK", ""}) {
    EXPECT_EQ(answer(std::string(line) + "\r\nA: b\r\n\r\n"), "the status line is malformed")
        << line;
  }
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
            "more than one Content-Length");
  EXPECT_EQ(answer("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
            "Transfer-Encoding in HTTP/1.0");
}

TEST(HeadCheck, KnowsEarlyThatNoHeadWillCome) {
  const auto request = [](std::string_view start, std::size_t from = 0) {
    return start_defect(start, from).value_or("");
  };
  EXPECT_EQ(request(""), "");
  EXPECT_EQ(request("GET / HTTP/1.1\r\nHost: a\r\n"), "");
  EXPECT_EQ(request("\x16\x03\x01"), "the request line is malformed");
  EXPECT_EQ(request("GET / HTTP/1.1\nHost: a\n\n"), "a line ends in a bare line feed");
  EXPECT_EQ(request("GET / HTTP/1.1\r\nHost: a\n", 10), "a line ends in a bare line feed");
  EXPECT_EQ(request("GET / HTTP/1.1\r\nHost", 15), "");
  const auto answer = [](std::string_view start) {
    return answer_start_defect(start, 0).value_or("");
  };
  EXPECT_EQ(answer(""), "");
  EXPECT_EQ(answer("HTT"), "");
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\n"), "");
  EXPECT_EQ(answer("SSH-2.0"), "the status line is malformed");
  EXPECT_EQ(answer("HTTP/1.1 200 OK\n"), "a line ends in a bare line feed");
}

}  // namespace
}  // namespace opentrail::net
