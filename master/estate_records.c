/* SPDX-License-Identifier: MIT */
/*
 * estate_records - the format of an estate, as tables.                        [master]
 *
 * Owns:    the tables. A field is added at the end of one; one that images before cannot do
 *          without is another ESTATE_VERSION. A new descriptor is a named one.
 * Called:  by estate.c and estate_read.c.
 * Fails:   never.
 */
#include "master/estate_records.h"

#include "common/check.h"

#include <string.h>

static const struct field abi_fields[] = {
    FIELD(UINT, struct estate_abi, board),
    FIELD(UINT, struct estate_abi, message),
    FIELD(UINT, struct estate_abi, inbox),
};

static const struct field self_fields[] = {
    FIELD(UINT, struct estate_self, saved_ms),
    FIELD(UINT, struct estate_self, number),
    FIELD(UINT, struct estate_self, last_number),
    FIELD(UINT, struct estate_self, want),
    FIELD(UINT, struct estate_self, worker_slots),
    FIELD_NAMED(UINT, struct estate_self, "failures", governor.failures),
    FIELD_NAMED(UINT, struct estate_self, "not_before_ms", governor.not_before_ms),
    FIELD_NAMED(UINT, struct estate_self, "probe_from_ms", governor.probe_from_ms),
    FIELD_NAMED(UINT, struct estate_self, "flood_begun_ms", flood.begun_ms),
    FIELD_NAMED(UINT, struct estate_self, "flood_deaths", flood.deaths),
    FIELD_NAMED(UINT, struct estate_self, "flood_untold", flood.untold),
    FIELD_NAMED(UINT, struct estate_self, "flood_requests", flood.untold_requests),
    FIELD_NAMED(FD, struct estate_self, "oom_fd", oom.fd),
    FIELD_NAMED(UINT, struct estate_self, "oom_seen", oom.seen),
    FIELD_NAMED(UINT, struct estate_self, "oom_unmatched", oom.unmatched),
    FIELD_NAMED(UINT, struct estate_self, "oom_moved_ms", oom.moved_ms),
    FIELD(UINT, struct estate_self, log_lost),
    FIELD(BOOL, struct estate_self, reload_waits),
    FIELD(BOOL, struct estate_self, upgrade_waits),
    FIELD(BOOL, struct estate_self, is_paused),
    FIELD(FD, struct estate_self, board_fd),
    FIELD(FD, struct estate_self, error_log_fd),
    FIELD(FD, struct estate_self, access_log_fd),
    FIELD(TEXT, struct estate_self, binary),
    FIELD(TEXT, struct estate_self, version),
    FIELD(TEXT, struct estate_self, refusal),
};

static const struct field control_fields[] = {
    FIELD_NAMED(FD, struct estate_control, "fd", socket.fd),
    FIELD_NAMED(BOOL, struct estate_control, "is_for_group", socket.is_for_group),
    FIELD_NAMED(TEXT, struct estate_control, "path", socket.path),
    FIELD_NAMED(UINT, struct estate_control, "device", socket.device),
    FIELD_NAMED(UINT, struct estate_control, "inode", socket.inode),
    FIELD_NAMED(BOOL, struct estate_control, "has_made_folder", socket.has_made_folder),
    FIELD(UINT, struct estate_control, last_number),
    FIELD(UINT, struct estate_control, warned_ms),
};

static const struct field slot_fields[] = {
    FIELD(UINT, struct slot, index),
    FIELD(UINT, struct slot, state),
    FIELD(INT, struct slot, pid),
    FIELD(UINT, struct slot, generation),
    FIELD(UINT, struct slot, started_ms),
    FIELD(UINT, struct slot, serving_ms),
    FIELD(UINT, struct slot, deadline_ms),
    FIELD_NAMED(UINT, struct slot, "boot", limits.boot),
    FIELD_NAMED(UINT, struct slot, "heartbeat", limits.heartbeat),
    FIELD_NAMED(UINT, struct slot, "graceful", limits.graceful),
    FIELD_NAMED(UINT, struct slot, "loop_block", limits.loop_block),
    FIELD_NAMED(TEXT, struct slot, "doom", doom_text),
    FIELD(BOOL, struct slot, said_bye),
    FIELD(BOOL, struct slot, lost),
    FIELD_NAMED(FD, struct slot, "channel_fd", channel.fd),
    FIELD_NAMED(BOOL, struct slot, "complained", channel.complained),
    FIELD(FD, struct slot, written_fd),
    FIELD_NAMED(UINT, struct slot, "wish_since_ms", recycle.since_ms),
    FIELD_NAMED(TEXT, struct slot, "wish_why", recycle.why),
    FIELD_NAMED(UINT, struct slot, "lag_told", lag.told),
    FIELD_NAMED(UINT, struct slot, "lag_asked_ms", lag.asked_ms),
};

static const struct field peer_fields[] = {
    FIELD(FD, struct control_peer, fd),
    FIELD(UINT, struct control_peer, number),
    FIELD(UINT, struct control_peer, uid),
    FIELD(INT, struct control_peer, pid),
    FIELD(UINT, struct control_peer, verb),
    FIELD(BOOL, struct control_peer, has_begun),
    FIELD(UINT, struct control_peer, deadline_ms),
};

static const struct field inbox_fields[] = {
    FIELD_NAMED(FD, struct heritage_inbox, "rx_fd", rx),
    FIELD_NAMED(FD, struct heritage_inbox, "tx_fd", tx),
};

static const struct field listener_fields[] = {
    FIELD(FD, struct listener, fd),          FIELD(TEXT, struct listener, key),
    FIELD(TEXT, struct listener, name),      FIELD(BOOL, struct listener, unix_socket),
    FIELD(BOOL, struct listener, inherited), FIELD(UINT, struct listener, device),
    FIELD(UINT, struct listener, inode),
};

static const struct field image_fields[] = {
    FIELD(FD, struct heritage_image, fd),
    FIELD(UINT, struct heritage_image, inode),
    FIELD(UINT, struct heritage_image, mtime_ns),
};

static const struct field named_fields[] = {
    FIELD(TEXT, struct estate_named, name),
    FIELD(FD, struct estate_named, fd),
};

static const struct field told_fields[] = {
    FIELD(STRING, struct conf_told, section), FIELD(STRING, struct conf_told, key),
    FIELD(STRING, struct conf_told, text),    FIELD(STRING, struct conf_told, secret),
    FIELD(UINT, struct conf_told, from),
};

#define ONCE(name_)                                                                      \
    {                                                                                    \
        .name = #name_, .field = name_##_fields, .fields = COUNT_OF(name_##_fields),     \
        .offset = offsetof(struct estate, name_)                                         \
    }
#define EACH(name_)                                                                      \
    {                                                                                    \
        .name = #name_, .field = name_##_fields, .fields = COUNT_OF(name_##_fields),     \
        .offset = offsetof(struct estate, name_),                                        \
        .stride = sizeof(((struct estate *)0)->name_[0]),                                \
        .most = sizeof(((struct estate *)0)->name_) /                                    \
                sizeof(((struct estate *)0)->name_[0]),                                  \
        .count_offset = offsetof(struct estate, name_##_count)                           \
    }

const struct estate_record estate_records[ESTATE_RECORDS] = {
    ONCE(abi),
    ONCE(self),
    ONCE(control),
    EACH(slot),
    EACH(peer),
    EACH(inbox),
    EACH(listener),
    EACH(image),
    EACH(named),
    {.name = "told", /* on the heap, of any number */
     .field = told_fields,
     .fields = COUNT_OF(told_fields),
     .offset = offsetof(struct estate, told),
     .count_offset = offsetof(struct estate, told_count)},
};

size_t estate_count_of(const struct estate *estate, const struct estate_record *record)
{
    size_t count;

    if (record->count_offset == 0)
        return 1;
    memcpy(&count, (const char *)estate + record->count_offset, sizeof(count));
    return count;
}

void *estate_item_of(const struct estate *estate, const struct estate_record *record,
                     size_t i)
{
    char *base = (char *)(uintptr_t)estate + record->offset;

    if (record == &estate_records[ESTATE_TOLD])
        return &estate->told[i];
    return base + i * record->stride;
}
