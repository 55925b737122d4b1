// SPDX-License-Identifier: MIT
//! remuda - the plugin ABI of include/remuda.h, version 1, for Rust: copy it into a plugin.
//!
//! Needs nothing but std. With `--cfg layout` the guest prints these layouts, and a test
//! compares each line with tests/abi/abi.golden. Functions that a plugin does not need stand
//! here as `Unused`; give one its type from the header to call it.
#![allow(dead_code)]

use std::ffi::{c_char, c_int, c_void};

pub const MAGIC: u32 = 0x5245_4d55;
pub const ABI: u16 = 1;
pub const ABI_MINOR: u16 = 0;
pub const SYNC: u32 = 0;
pub const ASYNC: u32 = 1;
pub const EVENT: u32 = 2;
pub const PENDING: c_int = 1;
pub const ON_LOOP: c_int = 0;
pub const ON_POOL: c_int = 1;
pub const ALL: c_int = 0;
pub const ANY: c_int = 1;
pub const ERROR: c_int = 3;
pub const FOREVER: u32 = u32::MAX;
pub const STRING: u32 = 0;

/// Opaque: only ever behind a pointer.
#[repr(C)]
pub struct Ctx([u8; 0]);
#[repr(C)]
pub struct Task([u8; 0]);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bytes {
    pub p: *const c_void,
    pub n: usize,
}

pub type Handler = unsafe extern "C" fn(*mut Ctx) -> c_int;
pub type Function = unsafe extern "C" fn(*mut Ctx, *mut c_void) -> c_int;
pub type Free = unsafe extern "C" fn(*mut c_void);
/// None is REMUDA_COPY.
pub type Own = Option<Free>;

#[repr(C)]
pub struct Route {
    pub method: *const c_char,
    pub path: *const c_char,
    pub handler: Option<Handler>,
    pub mode: u32,
    pub reserved: u32,
    pub arg: *mut c_void,
}

#[repr(C)]
pub struct Opt {
    pub name: *const c_char,
    pub kind: u32,
    pub reserved: u32,
    pub fallback: *const c_char,
    pub help: *const c_char,
}

type Unused = unsafe extern "C" fn();

#[repr(C)]
pub struct Api {
    pub size: usize,
    pub abi: u32,
    pub minor: u32,
    pub get: unsafe extern "C" fn(*mut Ctx, c_int) -> *const c_char,
    pub header: unsafe extern "C" fn(*mut Ctx, *const c_char) -> *const c_char,
    pub header_at: Unused,
    pub query: unsafe extern "C" fn(*mut Ctx, *const c_char) -> *const c_char,
    pub param: unsafe extern "C" fn(*mut Ctx, *const c_char) -> *const c_char,
    pub body: unsafe extern "C" fn(*mut Ctx, *mut Bytes) -> c_int,
    pub read: Unused,
    pub set: unsafe extern "C" fn(*mut Ctx, *const c_char, *const c_char) -> c_int,
    pub add: unsafe extern "C" fn(*mut Ctx, *const c_char, *const c_char) -> c_int,
    pub send: unsafe extern "C" fn(*mut Ctx, c_int, *const c_char, *const c_void, usize, Own)
        -> c_int,
    pub file: Unused,
    pub begin: Unused,
    pub write: Unused,
    pub event: Unused,
    pub sleep: unsafe extern "C" fn(*mut Ctx, u32) -> c_int,
    pub ready: Unused,
    pub spawn: unsafe extern "C" fn(*mut Ctx, c_int, Function, *mut c_void) -> *mut Task,
    pub wait: unsafe extern "C" fn(*mut Ctx, *const *mut Task, usize, c_int, u32) -> c_int,
    pub result: unsafe extern "C" fn(*mut Task) -> c_int,
    pub deadline: Unused,
    pub cancelled: Unused,
    pub draining: Unused,
    pub sem: Unused,
    pub acquire: Unused,
    pub release: Unused,
    pub call: Unused,
    pub finish: unsafe extern "C" fn(*mut Ctx, c_int),
    pub alloc: Unused,
    pub mark: Unused,
    pub rewind: Unused,
    pub cleanup: Unused,
    pub conf: unsafe extern "C" fn(*mut Ctx, *const c_char) -> *const c_char,
    pub conf_num: unsafe extern "C" fn(*mut Ctx, *const c_char) -> i64,
    pub state: unsafe extern "C" fn(*mut Ctx) -> *mut c_void,
    pub arg: unsafe extern "C" fn(*mut Ctx) -> *mut c_void,
    pub log: unsafe extern "C" fn(*mut Ctx, c_int, *const c_char),
    pub event_loop: Unused,
}

#[repr(C)]
pub struct Plugin {
    pub magic: u32,
    pub size: u32,
    pub abi: u16,
    pub need_minor: u16,
    pub route_size: u16,
    pub option_size: u16,
    pub job_size: u16,
    pub reserved: [u16; 3],
    pub api: *mut *const Api,
    pub name: *const c_char,
    pub version: *const c_char,
    pub routes: *const Route,
    pub options: *const Opt,
    pub jobs: *const c_void,
    pub check: Option<Handler>,
    pub start: Option<unsafe extern "C" fn(*mut Ctx, *mut *mut c_void) -> c_int>,
    pub stop: Option<unsafe extern "C" fn(*mut Ctx, *mut c_void)>,
}

// Constants that point at constants; the host writes through `api` alone, before any call.
unsafe impl Sync for Plugin {}
unsafe impl Sync for Route {}
unsafe impl Sync for Opt {}

pub const JOB_BYTES: u16 = 16;

#[cfg(layout)]
macro_rules! print_fields {
    ($name:literal, $type:ty, $($field:ident as $c:literal: $bytes:expr),* $(,)?) => {
        $(println!("{}.{} {} {}", $name, $c, std::mem::offset_of!($type, $field), $bytes);)*
    };
}

#[cfg(layout)]
pub fn print_layout() {
    println!("remuda_bytes {}", size_of::<Bytes>());
    print_fields!("remuda_bytes", Bytes, p as "p": 8, n as "n": 8);
    println!("remuda_route {}", size_of::<Route>());
    print_fields!("remuda_route", Route, method as "method": 8, path as "path": 8,
        handler as "fn": 8, mode as "mode": 4, reserved as "reserved": 4, arg as "arg": 8);
    println!("remuda_option {}", size_of::<Opt>());
    print_fields!("remuda_option", Opt, name as "name": 8, kind as "type": 4,
        reserved as "reserved": 4, fallback as "fallback": 8, help as "help": 8);
    println!("remuda_job {}", JOB_BYTES);
    println!("remuda_plugin {}", size_of::<Plugin>());
    print_fields!("remuda_plugin", Plugin, magic as "magic": 4, size as "size": 4,
        abi as "abi": 2, need_minor as "need_minor": 2, route_size as "route_size": 2,
        option_size as "option_size": 2, job_size as "job_size": 2, reserved as "reserved": 6,
        api as "api": 8, name as "name": 8, version as "version": 8, routes as "routes": 8,
        options as "options": 8, jobs as "jobs": 8, check as "check": 8, start as "start": 8,
        stop as "stop": 8);
    print_fields!("remuda_api", Api, size as "size": 8, abi as "abi": 4, minor as "minor": 4,
        get as "get": 8, header as "header": 8, header_at as "header_at": 8, query as "query": 8,
        param as "param": 8, body as "body": 8, read as "read": 8, set as "set": 8,
        add as "add": 8, send as "send": 8, file as "file": 8, begin as "begin": 8,
        write as "write": 8, event as "event": 8, sleep as "sleep": 8, ready as "ready": 8,
        spawn as "spawn": 8, wait as "wait": 8, result as "result": 8, deadline as "deadline": 8,
        cancelled as "cancelled": 8, draining as "draining": 8, sem as "sem": 8,
        acquire as "acquire": 8, release as "release": 8, call as "call": 8, finish as "finish": 8,
        alloc as "alloc": 8, mark as "mark": 8, rewind as "rewind": 8, cleanup as "cleanup": 8,
        conf as "conf": 8, conf_num as "conf_num": 8, state as "state": 8, arg as "arg": 8,
        log as "log": 8, event_loop as "loop": 8);
    for (name, value) in [("REMUDA_MAGIC", MAGIC as u64), ("REMUDA_ABI", ABI as u64),
        ("REMUDA_FOREVER", FOREVER as u64), ("REMUDA_SYNC", SYNC as u64),
        ("REMUDA_ASYNC", ASYNC as u64), ("REMUDA_EVENT", EVENT as u64),
        ("REMUDA_PENDING", PENDING as u64), ("REMUDA_ON_LOOP", ON_LOOP as u64),
        ("REMUDA_ON_POOL", ON_POOL as u64), ("REMUDA_ALL", ALL as u64),
        ("REMUDA_ANY", ANY as u64), ("REMUDA_ERROR", ERROR as u64),
        ("REMUDA_STRING", STRING as u64)] {
        println!("{name} {value}");
    }
}
