//! What a durable node does when disks, files, clients and people do their worst: real processes on real
//! sockets.
//!
//! Each test has nodes of its own in a folder of its own and ends them by their own process ids, whatever
//! happens. What needs root or a tool that is missing says so in a line and passes.

mod faults {
    mod client;
    mod figures;
    mod load;
    mod nodes;

    mod catch_up;
    mod connections;
    mod damage;
    mod disk_errors;
    mod full_disk;
    mod hostile_clients;
    mod identity;
    mod idle;
    mod members;
    mod signals;
}
