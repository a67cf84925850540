#include "base/http_client.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/tls.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { RESPONSE_BYTES_MAX = 16 * 1024 * 1024, CONNECT_TIMEOUT_MS = 3000, STANDARD_TIMEOUT_MS = 10000, STOP_GRACE_US = 1000000 };

struct http_client {
    CURL *curl;
};

void http_client_global_init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct http_client *http_client_create(void)
{
    struct http_client *client = memory_zeroed(1, sizeof *client);
    client->curl = curl_easy_init();
    if (client->curl == NULL)
        abort();
    return client;
}

void http_client_destroy(struct http_client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    free(client);
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    struct http_response *response = context;
    if (response->body.size + size * count > RESPONSE_BYTES_MAX)
        return 0; /* curl ends the transfer with an error */
    bytes_append(&response->body, data, size * count);
    return size * count;
}

/* Called at least once a second. */
struct watch {
    const atomic_bool *stop;
    int64_t stopped_us; /* seen since; 0: not */
};

static int look(void *context, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
    struct watch *watch = context;
    (void)down_all, (void)down, (void)up_all, (void)up;
    if (!watch->stop || !atomic_load(watch->stop))
        return 0;
    if (!watch->stopped_us)
        watch->stopped_us = clock_monotonic_us();
    return clock_monotonic_us() - watch->stopped_us >= STOP_GRACE_US;
}

static struct curl_slist *header_list(const char *const *headers)
{
    struct curl_slist *list = NULL;
    for (; headers && *headers; headers++)
        list = curl_slist_append(list, *headers);
    return curl_slist_append(list, "Expect:"); /* no pause for a 100-continue */
}

/* What every request has in common. `details` is libcurl's until perform. */
static void prepare(CURL *curl, const char *url, long connect_ms, long whole_ms, char details[CURL_ERROR_SIZE])
{
    details[0] = '\0';
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, whole_ms);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, details);
}

static void set_if_given(CURL *curl, CURLoption option, const char *text)
{
    if (text && *text)
        curl_easy_setopt(curl, option, text);
}

static void secure(CURL *curl, const struct tls_options *tls)
{
    struct stat found;
    bool is_folder = tls->ca_location && stat(tls->ca_location, &found) == 0 && S_ISDIR(found.st_mode);
    set_if_given(curl, is_folder ? CURLOPT_CAPATH : CURLOPT_CAINFO, tls->ca_location);
    set_if_given(curl, CURLOPT_SSLCERT, tls->certificate_location);
    set_if_given(curl, CURLOPT_SSLKEY, tls->key_location);
    set_if_given(curl, CURLOPT_KEYPASSWD, tls->key_password);
}

static bool perform(CURL *curl, const char *details, char *error, size_t error_size)
{
    CURLcode code = curl_easy_perform(curl);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    if (code != CURLE_OK)
        snprintf(error, error_size, "%s", details[0] ? details : curl_easy_strerror(code));
    return code == CURLE_OK;
}

bool http_client_send(struct http_client *client, const struct http_request *request, struct http_response *response)
{
    CURL *curl = client->curl;
    *response = (struct http_response){0};
    struct curl_slist *headers = header_list(request->headers);
    char details[CURL_ERROR_SIZE];
    struct watch watch = {request->stop, 0};
    curl_off_t retry_after_s = 0;

    prepare(curl, request->url, CONNECT_TIMEOUT_MS, request->timeout_ms ? request->timeout_ms : STANDARD_TIMEOUT_MS, details);
    set_if_given(curl, CURLOPT_USERNAME, request->username);
    set_if_given(curl, CURLOPT_PASSWORD, request->password);
    if (request->tls)
        secure(curl, request->tls);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (request->body.size || strcmp(request->method, "POST") == 0 || strcmp(request->method, "PUT") == 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.data ? request->body.data : "");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
    }
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, response);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &watch);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "touchstream/" TS_VERSION);

    bool is_answered = perform(curl, details, response->error, sizeof response->error);
    curl_slist_free_all(headers);
    response->status = 0;
    if (!is_answered)
        return false;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response->status);
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after_s);
    response->retry_after_s = (long)retry_after_s;
    return true;
}

bool http_client_connect(struct http_client *client, const char *url, int timeout_ms, char *error, size_t error_size)
{
    char details[CURL_ERROR_SIZE];
    prepare(client->curl, url, timeout_ms, timeout_ms, details);
    curl_easy_setopt(client->curl, CURLOPT_CONNECT_ONLY, 1L);
    return perform(client->curl, details, error, error_size);
}

void http_url_show(struct bytes *out, const char *url, bool has_path)
{
    const char *scheme_end = strstr(url, "://"), *host = scheme_end ? scheme_end + 3 : url;
    size_t size = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', size), *shown = at ? at + 1 : host;
    bytes_append(out, url, (size_t)(host - url));
    bytes_append(out, shown, has_path ? strlen(shown) : (size_t)(host + size - shown));
}
