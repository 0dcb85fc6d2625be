{{ config(materialized='view') }}

select cast(days.day as date) as day
from generate_series(date '2014-01-01', date '2039-12-31', interval 1 day) as days (day)
