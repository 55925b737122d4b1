/* SPDX-License-Identifier: MIT */
/*
 * status - status codes and their reason phrases.
 *
 * Owns:    the table, from the IANA registry of November 2026; 418 because people try
 *          it.
 * Fails:   never; an unknown code has no line, and the name of its class.
 */
#include "http/status.h"

struct status_text {
    struct slice line;
    struct slice reason;
};

#define STATUS(code, text)                                                               \
    [code - 100] = {SLICE_LIT("HTTP/1.1 " #code " " text "\r\n"), SLICE_LIT(text)}

static const struct status_text TABLE[500] = {
    STATUS(100, "Continue"),
    STATUS(101, "Switching Protocols"),
    STATUS(102, "Processing"),
    STATUS(103, "Early Hints"),
    STATUS(200, "OK"),
    STATUS(201, "Created"),
    STATUS(202, "Accepted"),
    STATUS(203, "Non-Authoritative Information"),
    STATUS(204, "No Content"),
    STATUS(205, "Reset Content"),
    STATUS(206, "Partial Content"),
    STATUS(207, "Multi-Status"),
    STATUS(208, "Already Reported"),
    STATUS(226, "IM Used"),
    STATUS(300, "Multiple Choices"),
    STATUS(301, "Moved Permanently"),
    STATUS(302, "Found"),
    STATUS(303, "See Other"),
    STATUS(304, "Not Modified"),
    STATUS(305, "Use Proxy"),
    STATUS(307, "Temporary Redirect"),
    STATUS(308, "Permanent Redirect"),
    STATUS(400, "Bad Request"),
    STATUS(401, "Unauthorized"),
    STATUS(402, "Payment Required"),
    STATUS(403, "Forbidden"),
    STATUS(404, "Not Found"),
    STATUS(405, "Method Not Allowed"),
    STATUS(406, "Not Acceptable"),
    STATUS(407, "Proxy Authentication Required"),
    STATUS(408, "Request Timeout"),
    STATUS(409, "Conflict"),
    STATUS(410, "Gone"),
    STATUS(411, "Length Required"),
    STATUS(412, "Precondition Failed"),
    STATUS(413, "Content Too Large"),
    STATUS(414, "URI Too Long"),
    STATUS(415, "Unsupported Media Type"),
    STATUS(416, "Range Not Satisfiable"),
    STATUS(417, "Expectation Failed"),
    STATUS(418, "I'm a Teapot"),
    STATUS(421, "Misdirected Request"),
    STATUS(422, "Unprocessable Content"),
    STATUS(423, "Locked"),
    STATUS(424, "Failed Dependency"),
    STATUS(425, "Too Early"),
    STATUS(426, "Upgrade Required"),
    STATUS(428, "Precondition Required"),
    STATUS(429, "Too Many Requests"),
    STATUS(431, "Request Header Fields Too Large"),
    STATUS(451, "Unavailable For Legal Reasons"),
    STATUS(500, "Internal Server Error"),
    STATUS(501, "Not Implemented"),
    STATUS(502, "Bad Gateway"),
    STATUS(503, "Service Unavailable"),
    STATUS(504, "Gateway Timeout"),
    STATUS(505, "HTTP Version Not Supported"),
    STATUS(506, "Variant Also Negotiates"),
    STATUS(507, "Insufficient Storage"),
    STATUS(508, "Loop Detected"),
    STATUS(510, "Not Extended"),
    STATUS(511, "Network Authentication Required"),
};

/** By the hundred: what RFC 9110 15 calls the class. */
static const struct slice CLASSES[6] = {
    SLICE_LIT("Unknown"),     SLICE_LIT("Informational"), SLICE_LIT("Successful"),
    SLICE_LIT("Redirection"), SLICE_LIT("Client Error"),  SLICE_LIT("Server Error"),
};

struct slice http_status_line(int status)
{
    if (status < 100 || status > 599)
        return (struct slice){"", 0};
    return TABLE[status - 100].line;
}

struct slice http_status_reason(int status)
{
    if (status < 100 || status > 599)
        return CLASSES[0];
    struct slice reason = TABLE[status - 100].reason;
    return reason.n > 0 ? reason : CLASSES[status / 100];
}
