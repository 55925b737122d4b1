/* SPDX-License-Identifier: MIT */
/*
 * words - what the options mean that are one of several words.
 */
#ifndef CONF_WORDS_H
#define CONF_WORDS_H

enum conf_class { CONF_CLASS_EVENT, CONF_CLASS_THREAD }; /* sync is THREAD, threads = 1 */

enum conf_proxy { CONF_PROXY_OFF, CONF_PROXY_OPTIONAL, CONF_PROXY_REQUIRED };

enum conf_forwarded { CONF_FORWARDED_X, CONF_FORWARDED_RFC7239 };

#endif
