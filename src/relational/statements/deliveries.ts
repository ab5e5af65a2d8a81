import { deliveryWaitMaxMs } from '../../model/holders.ts'
import { nextOf } from './ids.ts'

const columns = `
  d.id, t.id AS "turnId", s.key AS "sessionKey", d.target, d.status, d.attempts, d.next_ms AS "nextAttemptAtMs", d.error,
  t.outcome, d.turn, t.transcript, t.reply_from AS "replyFromSeq", t.reply_to AS "replyToSeq", t.session
  FROM delivery d JOIN turn t ON t.position = d.turn JOIN session s ON s.id = t.session`

const underWay = "d.status = 'sending' ORDER BY d.id"
const waiting = "d.status = 'pending' ORDER BY d.next_ms, d.id"

export const deliverySql = {
  /** One for each target of the turn. ?1 position, ?2 now */
  add: `
    INSERT INTO delivery (id, turn, target, status, next_ms)
    SELECT ${nextOf('delivery')} - 1 + row_number() OVER (), t.position, target.value, 'pending', ?2 FROM turn t, json_each(t.deliver_to) target WHERE t.position = ?1
    ON CONFLICT DO NOTHING`,
  /** ?1 now; also what is due later than any back-off lasts. */
  due: `
    SELECT * FROM (
      SELECT id FROM delivery WHERE status = 'pending' AND next_ms <= ?1 ORDER BY next_ms, id LIMIT 1) now
    UNION ALL SELECT * FROM (
      SELECT id FROM delivery WHERE status = 'pending' AND next_ms > ?1 + ${deliveryWaitMaxMs} ORDER BY next_ms, id LIMIT 1) put_off
    LIMIT 1`,
  underWay: `SELECT ${columns} WHERE ${underWay} LIMIT ? + 0`,
  waiting: `SELECT ${columns} WHERE ${waiting} LIMIT ? + 0`,
  /** The same of one session. ?1 its key */
  underWayOf: `SELECT ${columns} WHERE s.key = ?1 AND ${underWay} LIMIT ?2 + 0`,
  waitingOf: `SELECT ${columns} WHERE s.key = ?1 AND ${waiting} LIMIT ?2 + 0`,
  byClaim: `SELECT ${columns} WHERE d.id = (SELECT id FROM delivery WHERE status = 'sending' AND claim = ?)`,
  take: `UPDATE delivery SET status = 'sending', attempts = attempts + 1, claim = ? WHERE id = ?`,
  settle: 'UPDATE delivery SET status = ?2, error = ?3, next_ms = ?4, claim = NULL WHERE id = ?1',
  markUnknown: `UPDATE delivery SET status = 'unknown', claim = NULL WHERE status = 'sending'`,
}
