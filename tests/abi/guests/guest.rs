// SPDX-License-Identifier: MIT
//! guest - guest.c in Rust: safe bodies behind one guard, a panic becomes a 500.     [tests]
//!
//!     rustc --edition 2021 -O --crate-type cdylib guest.rs -o guest.so
mod remuda;

use remuda::{Api, Bytes, Ctx, Opt, Plugin, Route, Task};
use std::ffi::{c_char, c_int, c_void, CStr, CString};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU32, Ordering};

const ENOMEM: c_int = 12;
static LANGUAGE: &CStr = c"Rust";
static mut API: *const Api = null();

fn api() -> &'static Api {
    unsafe { &*API } // the host has stored it before any call
}

/// One request or task, as long as its handler runs.
#[derive(Clone, Copy)]
struct Request(*mut Ctx);
unsafe impl Send for Request {} // an EVENT's may go to another thread

impl Request {
    fn text(self, text: &str) -> c_int {
        let kind = c"text/plain; charset=utf-8".as_ptr();
        unsafe { (api().send)(self.0, 200, kind, text.as_ptr().cast(), text.len(), None) }
    }
    fn query(self, name: &CStr) -> Option<&'static str> {
        let value = unsafe { (api().query)(self.0, name.as_ptr()) };
        if value.is_null() {
            return None;
        }
        unsafe { CStr::from_ptr(value) }.to_str().ok()
    }
    fn conf(self, name: &CStr) -> &'static str {
        unsafe { CStr::from_ptr((api().conf)(self.0, name.as_ptr())) }.to_str().unwrap_or("")
    }
    fn sleep(self, ms: u32) -> c_int {
        unsafe { (api().sleep)(self.0, ms) }
    }
}

/// A panic must not leave a handler.
fn guarded(c: *mut Ctx, body: impl FnOnce(Request) -> c_int) -> c_int {
    catch_unwind(AssertUnwindSafe(|| body(Request(c)))).unwrap_or_else(|_| {
        unsafe { (api().log)(c, remuda::ERROR, c"a handler has panicked".as_ptr()) };
        500
    })
}

unsafe extern "C" fn hello(c: *mut Ctx) -> c_int {
    guarded(c, |request| {
        let name = request.query(c"name").unwrap_or("you");
        unsafe { (api().set)(c, c"X-Guest".as_ptr(), LANGUAGE.as_ptr()) };
        request.text(&format!("{}, {name} from Rust\n", request.conf(c"greeting")))
    })
}

unsafe extern "C" fn free_string(p: *mut c_void) {
    drop(unsafe { CString::from_raw(p.cast()) });
}

unsafe extern "C" fn upper(c: *mut Ctx) -> c_int {
    guarded(c, |_| {
        let mut body = Bytes { p: null(), n: 0 };
        let rc = unsafe { (api().body)(c, &mut body) };
        if rc < 0 {
            return rc;
        }
        let bytes = unsafe { std::slice::from_raw_parts(body.p.cast::<u8>(), body.n) };
        let Ok(out) = CString::new(bytes.to_ascii_uppercase()) else {
            return 400; // a NUL
        };
        let (n, p) = (out.as_bytes().len(), out.into_raw());
        unsafe { (api().send)(c, 200, c"text/plain".as_ptr(), p.cast(), n, Some(free_string)) }
    })
}

unsafe extern "C" fn nap(c: *mut Ctx) -> c_int {
    guarded(c, |request| {
        let ms = request.query(c"ms").and_then(|ms| ms.parse().ok()).unwrap_or(0);
        match request.sleep(ms) {
            rc if rc < 0 => rc,
            _ => request.text("slept\n"),
        }
    })
}

unsafe extern "C" fn add_twenty_one(c: *mut Ctx, arg: *mut c_void) -> c_int {
    unsafe { *arg.cast::<i32>() += 21 };
    Request(c).sleep(1)
}

unsafe extern "C" fn fan(c: *mut Ctx) -> c_int {
    guarded(c, |request| {
        let mut part = [0i32; 2];
        let mut task = [null_mut::<Task>(); 2];
        for (i, place) in [remuda::ON_LOOP, remuda::ON_POOL].into_iter().enumerate() {
            let arg = (&raw mut part[i]).cast();
            task[i] = unsafe { (api().spawn)(c, place, add_twenty_one, arg) };
        }
        let rc = unsafe { (api().wait)(c, task.as_ptr(), task.len(), remuda::ALL, 5000) };
        match rc {
            rc if rc < 0 => rc,
            _ => request.text(&format!("{}\n", part[0] + part[1])),
        }
    })
}

unsafe extern "C" fn fail(c: *mut Ctx) -> c_int {
    guarded(c, |_| panic!("on purpose"))
}

/// Over a wait, on the coroutine's stack.
unsafe extern "C" fn across(c: *mut Ctx) -> c_int {
    guarded(c, |request| {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            if request.sleep(1) == 0 {
                panic!("over a wait");
            }
        }));
        if caught.is_ok() || request.sleep(1) != 0 {
            return 500;
        }
        request.text("caught\n")
    })
}

unsafe extern "C" fn later(c: *mut Ctx) -> c_int {
    guarded(c, |request| {
        std::thread::spawn(move || {
            let request = request; // whole, for it is Send and its pointer is not
            let rc = request.text("later\n");
            unsafe { (api().finish)(request.0, rc) };
        });
        remuda::PENDING
    })
}

unsafe extern "C" fn count(c: *mut Ctx) -> c_int {
    guarded(c, |request| {
        let asked = unsafe { &*(api().state)(c).cast::<AtomicU32>() };
        request.text(&format!("{}\n", asked.fetch_add(1, Ordering::Relaxed)))
    })
}

unsafe extern "C" fn start(_: *mut Ctx, state: *mut *mut c_void) -> c_int {
    let Ok(asked) = catch_unwind(|| Box::new(AtomicU32::new(0))) else {
        return -ENOMEM;
    };
    unsafe { *state = Box::into_raw(asked).cast() };
    0
}

unsafe extern "C" fn stop(_: *mut Ctx, state: *mut c_void) {
    drop(unsafe { Box::from_raw(state.cast::<AtomicU32>()) });
}

const fn route(method: &CStr, path: &CStr, handler: remuda::Handler, mode: u32) -> Route {
    Route {
        method: method.as_ptr(),
        path: path.as_ptr(),
        handler: Some(handler),
        mode,
        reserved: 0,
        arg: null_mut(),
    }
}

const NONE: *const c_char = null();

static ROUTES: [Route; 9] = [
    route(c"GET", c"/hello", hello, remuda::SYNC),
    route(c"POST", c"/upper", upper, remuda::SYNC),
    route(c"GET", c"/nap", nap, remuda::ASYNC),
    route(c"GET", c"/fan", fan, remuda::ASYNC),
    route(c"GET", c"/fail", fail, remuda::SYNC),
    route(c"GET", c"/across", across, remuda::ASYNC),
    route(c"GET", c"/later", later, remuda::EVENT),
    route(c"GET", c"/count", count, remuda::SYNC),
    Route { method: NONE, path: NONE, handler: None, mode: 0, reserved: 0, arg: null_mut() },
];

static OPTIONS: [Opt; 2] = [
    Opt {
        name: c"greeting".as_ptr(),
        kind: remuda::STRING,
        reserved: 0,
        fallback: c"Howdy".as_ptr(),
        help: c"what to say".as_ptr(),
    },
    Opt { name: NONE, kind: 0, reserved: 0, fallback: NONE, help: NONE },
];

#[no_mangle]
pub static remuda_plugin_v1: Plugin = Plugin {
    magic: remuda::MAGIC,
    size: size_of::<Plugin>() as u32,
    abi: remuda::ABI,
    need_minor: remuda::ABI_MINOR,
    route_size: size_of::<Route>() as u16,
    option_size: size_of::<Opt>() as u16,
    job_size: remuda::JOB_BYTES,
    reserved: [0; 3],
    api: &raw mut API,
    name: c"guest".as_ptr(),
    version: c"1".as_ptr(),
    routes: ROUTES.as_ptr(),
    options: OPTIONS.as_ptr(),
    jobs: null(),
    check: None,
    start: Some(start),
    stop: Some(stop),
};

#[cfg(layout)]
fn main() {
    remuda::print_layout();
}
