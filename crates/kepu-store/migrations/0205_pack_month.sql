CREATE INDEX pack_month ON pack (month, region, id);
