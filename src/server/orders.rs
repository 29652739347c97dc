//! What an administrator asks for: `RAFT.ADD`, `RAFT.PROMOTE`, `RAFT.REMOVE`, `RAFT.TRANSFER`.
//!
//! Any node takes an order and sends it to the leader, as it does with requests, and the same is true of the
//! answer: an error says that nothing happened, or that nobody knows.

use crate::net::Address;
use crate::raft::{Change, NodeId};
use crate::replica::Order;
use crate::resp::{Request, Verb};

/// The order that a request is, if it is one.
///
/// # Errors
///
/// What is wrong with it.
pub(super) fn parse(verb: Verb, request: Request<'_>) -> Option<Result<Order, String>> {
    Some(match verb {
        Verb::RaftAdd => add(request),
        Verb::RaftPromote => promote(request),
        Verb::RaftRemove => id_at(request, 1).map(|id| swap(Vec::new(), vec![id])),
        Verb::RaftTransfer => match request.get(1) {
            None => Ok(Order::HandOver(None)),
            Some(_) if request.get(2).is_some() => Err("ERR syntax error".to_owned()),
            Some(_) => id_at(request, 1).map(|id| Order::HandOver(Some(id))),
        },
        _ => return None,
    })
}

fn add(request: Request<'_>) -> Result<Order, String> {
    let id = id_at(request, 1)?;
    let address: Address = text_at(request, 2).parse().map_err(|error| format!("ERR {error}"))?;
    Ok(Order::Change(Change::Add { id, note: address.to_string().into() }))
}

/// `RAFT.PROMOTE id`, or `RAFT.PROMOTE id REPLACING other`: both in one step, so that a dead voter that is
/// replaced is not missed in between.
fn promote(request: Request<'_>) -> Result<Order, String> {
    let id = id_at(request, 1)?;
    match (request.get(2), request.get(3), request.get(4)) {
        (None, ..) => Ok(swap(vec![id], Vec::new())),
        (Some(word), Some(_), None) if word.eq_ignore_ascii_case(b"replacing") => {
            Ok(swap(vec![id], vec![id_at(request, 3)?]))
        }
        _ => Err("ERR syntax error: RAFT.PROMOTE node [REPLACING node]".to_owned()),
    }
}

fn swap(promote: Vec<NodeId>, remove: Vec<NodeId>) -> Order {
    Order::Change(Change::Swap { promote, remove })
}

fn text_at(request: Request<'_>, place: usize) -> String {
    String::from_utf8_lossy(request.get(place).unwrap_or_default()).into_owned()
}

fn id_at(request: Request<'_>, place: usize) -> Result<NodeId, String> {
    let text = text_at(request, place);
    text.parse().map(NodeId).map_err(|_| format!("ERR {text:?} is no node: nodes are numbers up to 65535"))
}
