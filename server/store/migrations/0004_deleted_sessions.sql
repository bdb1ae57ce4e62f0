-- When a person deleted the session who may still undo it, in epoch seconds. Nothing finds it any more, and it is
-- removed for good when the time for that is over, or at a later purge.
ALTER TABLE sessions ADD COLUMN deleted_at REAL;
