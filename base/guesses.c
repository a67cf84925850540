#include "base/guesses.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/signature.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* More addresses than can owe anything at a time: all together are wrong about 400 times in the five minutes that one takes to pay. */
enum { ADDRESSES_MAX = 512, MARKS_MAX = 256, KEY_SIZE = 32, NETWORK_SIZE = 8 };

struct address_guesses {
    struct http_peer peer;
    int64_t paid_at_ms[GUESS_KINDS]; /* when all is paid off */
    int64_t seen_at_ms;
    bool is_used, was_right;
};

/* The last ones of a kind. */
struct marks {
    uint64_t items[MARKS_MAX]; /* 0: none */
    size_t next;
};

struct guesses {
    pthread_mutex_t lock;
    char key[KEY_SIZE]; /* of the marks: nobody can make another's */
    struct address_guesses addresses[ADDRESSES_MAX];
    int64_t all_paid_at_ms[GUESS_KINDS];
    struct marks wrong, right;
};

struct guesses *guesses_create(void)
{
    struct guesses *guesses = memory_zeroed(1, sizeof *guesses);
    pthread_mutex_init(&guesses->lock, NULL);
    random_secret(guesses->key, sizeof guesses->key);
    return guesses;
}

void guesses_destroy(struct guesses *guesses)
{
    if (!guesses)
        return;
    pthread_mutex_destroy(&guesses->lock);
    free(guesses);
}

/* --- marks ------------------------------------------------------------------------------------------------------- */

static uint64_t mark_of(const struct guesses *guesses, enum guess_kind kind, struct view given)
{
    unsigned char raw[SIGNATURE_SIZE];
    struct bytes text = {0};
    uint64_t mark;
    bytes_append_byte(&text, (unsigned char)kind);
    bytes_append_view(&text, given);
    signature_hmac_sha256(raw, view_of(guesses->key, KEY_SIZE), bytes_view(&text));
    bytes_finish(&text);
    memcpy(&mark, raw, sizeof mark);
    return mark | 1;
}

static bool marks_have(const struct marks *marks, uint64_t mark)
{
    for (size_t i = 0; i < MARKS_MAX; i++)
        if (marks->items[i] == mark)
            return true;
    return false;
}

static void marks_add(struct marks *marks, uint64_t mark)
{
    if (marks_have(marks, mark))
        return;
    marks->items[marks->next] = mark;
    marks->next = (marks->next + 1) % MARKS_MAX;
}

static bool was_noted(struct guesses *guesses, const struct marks *marks, enum guess_kind kind, struct view given)
{
    uint64_t mark = mark_of(guesses, kind, given);
    pthread_mutex_lock(&guesses->lock);
    bool has = marks_have(marks, mark);
    pthread_mutex_unlock(&guesses->lock);
    return has;
}

bool guesses_were_wrong(struct guesses *guesses, enum guess_kind kind, struct view given)
{
    return was_noted(guesses, &guesses->wrong, kind, given);
}

bool guesses_were_right(struct guesses *guesses, enum guess_kind kind, struct view given)
{
    return was_noted(guesses, &guesses->right, kind, given);
}

/* --- addresses --------------------------------------------------------------------------------------------------- */

static struct http_peer network_of(const struct http_peer *peer)
{
    struct http_peer network = *peer;
    struct in6_addr address;
    memcpy(&address, peer, sizeof address);
    if (!IN6_IS_ADDR_V4MAPPED(&address))
        memset(network.bytes + NETWORK_SIZE, 0, sizeof network.bytes - NETWORK_SIZE);
    return network;
}

static struct address_guesses *address_find(struct guesses *guesses, const struct http_peer *network)
{
    for (size_t i = 0; i < ADDRESSES_MAX; i++) {
        struct address_guesses *address = &guesses->addresses[i];
        if (address->is_used && memcmp(&address->peer, network, sizeof *network) == 0)
            return address;
    }
    return NULL;
}

/* Found, or in the place of the one that was not seen for longest. */
static struct address_guesses *address_place(struct guesses *guesses, const struct http_peer *peer, int64_t now_ms)
{
    struct http_peer network = network_of(peer);
    struct address_guesses *address = address_find(guesses, &network);
    if (!address) {
        address = &guesses->addresses[0];
        for (size_t i = 1; i < ADDRESSES_MAX && address->is_used; i++)
            if (!guesses->addresses[i].is_used || guesses->addresses[i].seen_at_ms < address->seen_at_ms)
                address = &guesses->addresses[i];
        *address = (struct address_guesses){.peer = network, .is_used = true};
    }
    address->seen_at_ms = now_ms;
    return address;
}

static void owe(int64_t *paid_at_ms, int64_t each_ms, int64_t now_ms)
{
    *paid_at_ms = (*paid_at_ms > now_ms ? *paid_at_ms : now_ms) + each_ms;
}

static int64_t wait_ms(int64_t paid_at_ms, int64_t each_ms, int64_t at_once, int64_t now_ms)
{
    return paid_at_ms - now_ms - (at_once - 1) * each_ms;
}

int guesses_wait_s(struct guesses *guesses, const struct http_peer *peer, enum guess_kind kind, int64_t now_ms)
{
    struct http_peer network = network_of(peer);
    int64_t own_ms = 0, all_ms = 0;
    pthread_mutex_lock(&guesses->lock);
    const struct address_guesses *address = address_find(guesses, &network);
    if (address)
        own_ms = wait_ms(address->paid_at_ms[kind], GUESSES_EACH_MS, GUESSES_AT_ONCE, now_ms);
    if (!address || !address->was_right)
        all_ms = wait_ms(guesses->all_paid_at_ms[kind], GUESSES_OF_ALL_EACH_MS, GUESSES_OF_ALL_AT_ONCE, now_ms);
    pthread_mutex_unlock(&guesses->lock);
    int64_t longer_ms = own_ms > all_ms ? own_ms : all_ms;
    return longer_ms > 0 ? (int)((longer_ms + 999) / 1000) : 0;
}

void guesses_note_wrong(struct guesses *guesses, const struct http_peer *peer, enum guess_kind kind, struct view given, int64_t now_ms)
{
    uint64_t mark = mark_of(guesses, kind, given);
    pthread_mutex_lock(&guesses->lock);
    marks_add(&guesses->wrong, mark);
    owe(&address_place(guesses, peer, now_ms)->paid_at_ms[kind], GUESSES_EACH_MS, now_ms);
    owe(&guesses->all_paid_at_ms[kind], GUESSES_OF_ALL_EACH_MS, now_ms);
    pthread_mutex_unlock(&guesses->lock);
}

void guesses_note_right(struct guesses *guesses, const struct http_peer *peer, enum guess_kind kind, struct view given, int64_t now_ms)
{
    uint64_t mark = mark_of(guesses, kind, given);
    pthread_mutex_lock(&guesses->lock);
    if (kind == GUESS_SESSION)
        marks_add(&guesses->right, mark);
    address_place(guesses, peer, now_ms)->was_right = true;
    pthread_mutex_unlock(&guesses->lock);
}

/* --- who runs us hears of it ------------------------------------------------------------------------------------- */

void guesses_tell(const char *whose, const struct http_peer *peer, int wait_s)
{
    char address[INET6_ADDRSTRLEN] = "";
    if (!log_seldom("guesses at tokens", whose))
        return;
    inet_ntop(AF_INET6, peer->bytes, address, sizeof address); /* of IPv4 ::ffff:a.b.c.d */
    log_warning("too many guesses at tokens, further ones are told nothing for a while", "of", whose, "address", address, "seconds", LOG_NUMBER(wait_s), NULL);
}
