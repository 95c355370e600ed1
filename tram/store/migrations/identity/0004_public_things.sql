-- What was opened to everybody. A column of its own, not a property: properties come from the device itself.
ALTER TABLE thing ADD COLUMN public boolean NOT NULL DEFAULT false;
CREATE TRIGGER thing_opened AFTER UPDATE OF public ON thing FOR EACH ROW EXECUTE FUNCTION notify_registry();
