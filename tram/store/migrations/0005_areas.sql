-- Which Things have their area from where they stand, and for which place that was found: tram/store/areas.py.
ALTER TABLE thing
    ADD COLUMN area_derived   bool NOT NULL DEFAULT false,
    ADD COLUMN area_longitude float8,
    ADD COLUMN area_latitude  float8;

-- An area that somebody states stands, wherever the Thing is.
CREATE FUNCTION area_stated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.area_derived := NEW.area IS NOT NULL AND coalesce(current_setting('tram.deriving', true), '') = 'on';
    RETURN NEW;
END
$$;
CREATE TRIGGER thing_area_stated BEFORE UPDATE OF area ON thing
    FOR EACH ROW WHEN (NEW.area IS DISTINCT FROM OLD.area) EXECUTE FUNCTION area_stated();
