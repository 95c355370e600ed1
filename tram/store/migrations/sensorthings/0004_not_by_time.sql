-- It cost a tenth of a row's write, and stretches of time are found by Datastream as well (services/sta/windows.py).
DROP INDEX observation_by_time;
